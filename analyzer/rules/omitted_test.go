package rules

import (
	"testing"

	"instep/analyzer/schema"
)

func TestNullPasses(t *testing.T) {
	for expr, want := range map[string]bool{
		"`a` > 0": true, "(`a` >= 0) and (`b` <= `a`)": true, "char_length(`a`) > 3": true, "`a` in (1,2)": true, "not `a`": true, "`a` in ('x','y')": true, "`a` in ('x',1)": false, "json_valid(`a`)": true,
		"`a` is not null": false, "coalesce(`a`,0) > 0": false, "`a` <=> 1": false, "`a` > 0 and 1 = 0": false, "`a` > 0 and false": false,
		"`a` between 1 and 2": false, "case when `a` then 1 else 0 end": false, "`a` > 0 && 0": false, "1 > 2": false, "`a` > 0 -- x": false,
	} {
		if got := nullPasses(expr); got != want {
			t.Errorf("%s: %v, want %v", expr, got, want)
		}
	}
}

func TestLiteralPasses(t *testing.T) {
	number := &schema.Column{Name: "a", Type: schema.Type{Name: "int"}}
	text := &schema.Column{Name: "a", Type: schema.Type{Name: "varchar", Length: 9}, Charset: "utf8mb4"}
	for _, test := range []struct {
		column      *schema.Column
		value, expr string
		want        bool
	}{
		{number, "0", "`a` >= 0", true},
		{number, "0", "`a` > 0", false},
		{number, "-1", "`a` < 0", true},
		{number, "7", "`a` <> 5", true},
		{number, "1", "`a` in (0,1)", true},
		{number, "2", "`a` in (0,1)", false},
		{number, "1", "`a` in (1) and 1 = 0", false},
		{number, "1", "`a` in ('x',1)", false},
		{number, "1", "`b` > 0", false},
		{number, "1", "`a` > `b`", false},
		{number, "1", "`a` > 0x0", false},
		{number, "9007199254740993", "`a` > 9007199254740992", false},
		{text, "x", "`a` in ('x','y')", true},
		{text, "X", "`a` in ('x','y')", false},
		{text, "1", "`a` > 0", false},
	} {
		if got := literalPasses(test.column, test.value, test.expr); got != test.want {
			t.Errorf("%q in %s: %v, want %v", test.value, test.expr, got, test.want)
		}
	}
}
