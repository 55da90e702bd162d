package schema

// A Change is one difference between two schemas, one aspect of one object. The set of changes is sealed: rules
// switch over the types in this file, as pointers: case *schema.AddColumn.
type Change interface {
	// Object names what changed; of a rename, the old name.
	Object() Object
	// Kind names the change in kebab-case: "add-column".
	Kind() string
	// Pos is where the statement that made the change stands.
	Pos() Pos
	// Statement is the statement that made the change; nil if that is not known.
	Statement() *Statement
	isChange()
}

// By is embedded in every change: the statement that made it. Nil when it is not known.
type By struct{ By *Statement }

// Pos implements Change.
func (b By) Pos() Pos {
	if b.By == nil {
		return Pos{}
	}
	return b.By.Pos
}

// Statement implements Change.
func (b By) Statement() *Statement { return b.By }

func (By) isChange() {}

// The changes of tables. Old and new definitions are whole, so that a rule can look around.
type (
	AddTable struct {
		By
		Table *Table
	}
	DropTable struct {
		By
		Table *Table
	}
	RenameTable struct {
		By
		Old, New *Table
	}
	// RecreateTable: dropped and created again under the same name; its rows are gone. The differences in shape follow as changes of their own.
	RecreateTable struct {
		By
		Old, New *Table
	}
	// TableOption: engine, charset, collation, comment, row_format, auto_increment … Name is in upper case: "ENGINE", "DEFAULT CHARSET".
	TableOption struct {
		By
		Table    *Table // new
		Name     string
		Old, New string
	}
	// ChangePartition: partitioning added (Old nil), removed (New nil) or changed.
	ChangePartition struct {
		By
		Table    *Table // new
		Old, New *Partition
	}
)

// The changes of columns. Table is the table after the change (before it for DropColumn).
type (
	AddColumn struct {
		By
		Table  *Table
		Column *Column
		// Before is the next column behind it that is not new. It is nil for a column that was added at the end, which leaves
		// the places of the others as they are.
		Before *Column
	}
	DropColumn struct {
		By
		Table  *Table
		Column *Column
	}
	RenameColumn struct {
		By
		Table    *Table
		Old, New *Column
	}
	// RecreateColumn: dropped and added again under the same name; its values are gone. Differences in shape follow as changes of their own.
	RecreateColumn struct {
		By
		Table    *Table
		Old, New *Column
	}
	// ColumnType: type, length, precision, sign or members.
	ColumnType struct {
		By
		Table    *Table
		Old, New *Column
	}
	ColumnNullability struct {
		By
		Table    *Table
		Old, New *Column
	}
	ColumnDefault struct {
		By
		Table    *Table
		Old, New *Column
	}
	ColumnOnUpdate struct {
		By
		Table    *Table
		Old, New *Column
	}
	ColumnAutoIncrement struct {
		By
		Table    *Table
		Old, New *Column
	}
	// ColumnCollation: character set, collation or both.
	ColumnCollation struct {
		By
		Table    *Table
		Old, New *Column
	}
	ColumnComment struct {
		By
		Table    *Table
		Old, New *Column
	}
	ColumnGenerated struct {
		By
		Table    *Table
		Old, New *Column
	}
	ColumnVisibility struct {
		By
		Table    *Table
		Old, New *Column
	}
	ColumnSRID struct {
		By
		Table    *Table
		Old, New *Column
	}
	ColumnAttributes struct {
		By
		Table    *Table
		Old, New *Column
	}
	// ReorderColumns: the columns that both tables have stand in another order. One change for the table.
	ReorderColumns struct {
		By
		Old, New *Table
	}
)

// The changes of keys and constraints. OldTable and NewTable are the table before and after.
type (
	AddKey struct {
		By
		Table *Table
		Key   *Key
	}
	DropKey struct {
		By
		Table *Table
		Key   *Key
	}
	RenameKey struct {
		By
		Table    *Table
		Old, New *Key
	}
	// ChangeKey: same name, other columns, kind, visibility or options.
	ChangeKey struct {
		By
		Table    *Table
		Old, New *Key
	}
	AddForeignKey struct {
		By
		Table *Table
		FK    *ForeignKey
	}
	DropForeignKey struct {
		By
		Table *Table
		FK    *ForeignKey
	}
	// ChangeForeignKey: same columns or same name, another target, action or name.
	ChangeForeignKey struct {
		By
		Table    *Table
		Old, New *ForeignKey
	}
	AddCheck struct {
		By
		Table *Table
		Check *Check
	}
	DropCheck struct {
		By
		Table *Table
		Check *Check
	}
	ChangeCheck struct {
		By
		Table    *Table
		Old, New *Check
	}
)

// The changes of what stands beside tables. In each, Old nil means created and New nil means dropped.
type (
	ChangeView struct {
		By
		Old, New *View
	}
	ChangeTrigger struct {
		By
		Old, New *Trigger
	}
	ChangeRoutine struct {
		By
		Old, New *Routine
	}
	ChangeEvent struct {
		By
		Old, New *Event
	}
	ChangeSequence struct {
		By
		Old, New *Sequence
	}
	// ChangeDatabase: the database's default charset or collation.
	ChangeDatabase struct {
		By
		OldCharset, NewCharset     string
		OldCollation, NewCollation string
	}
)
