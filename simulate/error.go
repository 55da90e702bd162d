package simulate

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"github.com/go-sql-driver/mysql"

	"instep/analyzer"
)

// maxMessage bounds a server's message in the result, in bytes: it can quote a row.
const maxMessage = 300

// serverError gives what a server said about a statement. Nil and false mean that the error is none of the server's: the
// run was cancelled, or the connection cannot be opened any more. A statement that was ended because it ran too long, or
// during which the connection broke, has code 0.
func serverError(err error) (*analyzer.ServerError, bool) { return saidPlainly(err, plainNames) }

// saidPlainly is serverError with another way to take out of a message what differs from run to run.
func saidPlainly(err error, plain func(message string) string) (*analyzer.ServerError, bool) {
	var refused *mysql.MySQLError
	switch {
	case errors.As(err, &refused):
		m := plain(refused.Message)
		if len(m) > maxMessage {
			m = m[:maxMessage] + "…"
		}
		return &analyzer.ServerError{Code: int(refused.Number), Message: m}, true
	case errors.Is(err, errTime):
		return &analyzer.ServerError{Message: err.Error()}, true
	case errors.Is(err, mysql.ErrInvalidConn):
		return &analyzer.ServerError{Message: "the connection broke"}, true
	case errors.Is(err, context.Canceled):
		return nil, false
	}
	return nil, false
}

// throwaway is the part of a database's name that differs from run to run, as newPrefix makes it. Of a database without a name of its
// own, the dot behind it goes too. temporary are the names that InnoDB gives to tables while it copies them.
var (
	throwaway = regexp.MustCompile("`instep_[a-z2-7]{12}_`\\.|instep_[a-z2-7]{12}_\\.?")
	temporary = regexp.MustCompile(`#sql[-\w]*`)
)

// plainNames takes out of a server's message what differs from run to run, so that the same upgrade gives the same words.
func plainNames(message string) string {
	return temporary.ReplaceAllString(throwaway.ReplaceAllString(message, ""), "#sql-…")
}

// shorten cuts text to about n bytes, on one line.
func shorten(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n] + "…"
}
