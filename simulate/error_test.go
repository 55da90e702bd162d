package simulate

import "testing"

func TestPlainNames(t *testing.T) {
	p := newPrefix()
	for message, want := range map[string]string{
		"Table '" + p + "shop.orders' doesn't exist":                                "Table 'shop.orders' doesn't exist",
		"Table '" + p + ".orders' doesn't exist":                                    "Table 'orders' doesn't exist",
		"a foreign key constraint fails (`" + p + "`.`orders`, CONSTRAINT `f` ...)": "a foreign key constraint fails (`orders`, CONSTRAINT `f` ...)",
		"a foreign key constraint fails (`" + p + "shop`.`orders`)":                 "a foreign key constraint fails (`shop`.`orders`)",
		"Table '#sql-1a_2b' is full":                                                "Table '#sql-…' is full",
		"Unknown column 'instep_x' in 'field list'":                                 "Unknown column 'instep_x' in 'field list'",
	} {
		if got := plainNames(message); got != want {
			t.Errorf("%s: %s, want %s", message, got, want)
		}
	}
}
