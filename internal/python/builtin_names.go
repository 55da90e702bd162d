package python

import "strings"

// unmodelled tells whether Python's own type of v, or v itself if it is a built-in type, has an attribute that this
// package does not know: then it is Unknown, where any other missing attribute is an AttributeError.
func unmodelled(v Value, name string) bool {
	var types []string
	switch v := v.(type) {
	case *Class:
		for _, k := range v.MRO() {
			if !k.python {
				types = append(types, k.Name)
			}
		}
	default:
		if o, ok := v.(objecter); ok && o.object().Cls != nil {
			return unmodelled(o.object().Cls, name)
		}
		types = []string{v.TypeName()}
	}
	for _, t := range types {
		for n := range strings.FieldsSeq(builtinNames(t)) {
			if n == name {
				return true
			}
		}
	}
	return false
}

// builtinNames gives the public attributes of a built-in type, as dir() of CPython 3.11 lists them.
func builtinNames(typ string) string {
	switch typ {
	case "str":
		return "capitalize casefold center count encode endswith expandtabs find format format_map index isalnum isalpha isascii isdecimal isdigit isidentifier islower isnumeric isprintable isspace istitle isupper join ljust lower lstrip maketrans partition removeprefix removesuffix replace rfind rindex rjust rpartition rsplit rstrip split splitlines startswith strip swapcase title translate upper zfill"
	case "bytes":
		return "capitalize center count decode endswith expandtabs find fromhex hex index isalnum isalpha isascii isdigit islower isspace istitle isupper join ljust lower lstrip maketrans partition removeprefix removesuffix replace rfind rindex rjust rpartition rsplit rstrip split splitlines startswith strip swapcase title translate upper zfill"
	case "bytearray":
		return "append capitalize center clear copy count decode endswith expandtabs extend find fromhex hex index insert isalnum isalpha isascii isdigit islower isspace istitle isupper join ljust lower lstrip maketrans partition pop remove removeprefix removesuffix replace reverse rfind rindex rjust rpartition rsplit rstrip split splitlines startswith strip swapcase title translate upper zfill"
	case "int":
		return "as_integer_ratio bit_count bit_length conjugate denominator from_bytes imag numerator real to_bytes"
	case "float":
		return "as_integer_ratio conjugate fromhex hex imag is_integer real"
	case "complex":
		return "conjugate imag real"
	case "list":
		return "append clear copy count extend index insert pop remove reverse sort"
	case "tuple":
		return "count index"
	case "dict":
		return "clear copy fromkeys get items keys pop popitem setdefault update values"
	case "set":
		return "add clear copy difference difference_update discard intersection intersection_update isdisjoint issubset issuperset pop remove symmetric_difference symmetric_difference_update union update"
	case "frozenset":
		return "copy difference intersection isdisjoint issubset issuperset symmetric_difference union"
	case "range":
		return "count index start step stop"
	case "slice":
		return "indices start step stop"
	case "generator":
		return "close gi_code gi_frame gi_running gi_suspended gi_yieldfrom send throw"
	case "function":
		return ""
	case "method":
		return ""
	case "property":
		return "deleter fdel fget fset getter setter"
	case "BaseException":
		return "add_note args with_traceback"
	case "OSError":
		return "add_note args characters_written errno filename filename2 strerror with_traceback"
	case "memoryview":
		return "c_contiguous cast contiguous f_contiguous format hex itemsize nbytes ndim obj readonly release shape strides suboffsets tobytes tolist toreadonly"
	}
	return ""
}
