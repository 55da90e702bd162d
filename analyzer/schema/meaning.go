package schema

import "strings"

// Meaning gives a statement's text without what does not matter: comments, line breaks, the amount of white space.
// Two statements with the same Meaning do the same. The converse does not hold: letter case is kept, because the
// names of tables depend on it, and so are the bodies of version comments.
func Meaning(sql string) string {
	var b strings.Builder
	for _, t := range tokens(sql, 0) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(t.text(sql))
	}
	return strings.TrimRight(b.String(), "; ")
}
