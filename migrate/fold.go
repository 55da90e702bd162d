package migrate

import (
	"errors"
	"fmt"
	"strings"

	"instep/analyzer/schema"
)

// apply runs statements on a schema, one by one. Of the Migration that it gives, Statements, Gaps, After and Steps are
// set. A statement that a server would refuse, or that cannot be read, is a gap; the ones after it are run all the same,
// so that one bad statement hides as little as possible.
func apply(before *schema.Schema, statements []schema.Statement) Migration {
	return applyExcept(before, statements, nil)
}

// applyExcept is apply, but for the statements for which doubt gives a reason: they are not run and are gaps.
func applyExcept(before *schema.Schema, statements []schema.Statement, doubt func(schema.Statement) string) Migration {
	m := Migration{Statements: statements, After: before}
	for _, st := range statements {
		if doubt != nil {
			if why := doubt(st); why != "" {
				m.Gaps = append(m.Gaps, schema.Gap{Pos: st.Pos, What: "the effect of " + headline(st.SQL), Why: why})
				m.Steps = append(m.Steps, m.After)
				continue
			}
		}
		next, err := m.After.Apply(st)
		if err != nil {
			m.Gaps = append(m.Gaps, statementGap(st, err))
		}
		m.After = next
		m.Steps = append(m.Steps, next)
	}
	return m
}

// statementGap is the gap that an error of Apply stands for.
func statementGap(st schema.Statement, err error) schema.Gap {
	var e *schema.Error
	if !errors.As(err, &e) {
		return schema.Gap{Pos: st.Pos, What: "the effect of " + headline(st.SQL), Why: err.Error()}
	}
	why := "it cannot be read: " + e.Msg
	if e.Code != 0 {
		why = fmt.Sprintf("a server refuses it with error %d: %s", e.Code, e.Msg)
	}
	return schema.Gap{Pos: e.Pos, What: "the effect of " + headline(st.SQL), Why: why, Objects: e.Objects}
}

// headline is the beginning of a statement, on one line.
func headline(sql string) string {
	const most = 60
	if len(sql) > 4*most {
		sql = strings.ToValidUTF8(sql[:4*most], "")
	}
	words := strings.Join(strings.Fields(sql), " ")
	if runes := []rune(words); len(runes) > most {
		words = strings.TrimSpace(string(runes[:most])) + " …"
	}
	return words
}
