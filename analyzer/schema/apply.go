package schema

// Apply gives the schema after one statement. The schema before is not changed.
//
// What does not touch the schema (SELECT, INSERT, LOCK TABLES, GRANT …) gives the same schema. On an error, which is always an
// *Error, the schema is the best that is known of the state after it: the schema before where the server refuses the
// statement, and with what could be read of it where the package could not read everything. It is never nil.
func (s *Schema) Apply(st Statement) (*Schema, error) {
	return s, &Error{Pos: st.Pos, Msg: "not applied"}
}
