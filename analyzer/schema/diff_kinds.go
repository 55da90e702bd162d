package schema

// Objects and kinds of the changes. Only pointers to the structs in change.go are changes, so that a switch over types
// has one form that can match.

// Object implements Change.
func (c *AddTable) Object() Object { return tableObject(c.Table) }

// Kind implements Change.
func (c *AddTable) Kind() string { return "add-table" }

// Object implements Change.
func (c *DropTable) Object() Object { return tableObject(c.Table) }

// Kind implements Change.
func (c *DropTable) Kind() string { return "drop-table" }

// Object implements Change.
func (c *RenameTable) Object() Object { return tableObject(c.Old) }

// Kind implements Change.
func (c *RenameTable) Kind() string { return "rename-table" }

// Object implements Change.
func (c *RecreateTable) Object() Object { return tableObject(c.New) }

// Kind implements Change.
func (c *RecreateTable) Kind() string { return "recreate-table" }

// Object implements Change.
func (c *TableOption) Object() Object { return tableObject(c.Table) }

// Kind implements Change.
func (c *TableOption) Kind() string { return "table-option" }

// Object implements Change.
func (c *ChangePartition) Object() Object { return tableObject(c.Table) }

// Kind implements Change.
func (c *ChangePartition) Kind() string { return "change-partition" }

// Object implements Change.
func (c *AddColumn) Object() Object { return columnObject(c.Table, c.Column) }

// Kind implements Change.
func (c *AddColumn) Kind() string { return "add-column" }

// Object implements Change.
func (c *DropColumn) Object() Object { return columnObject(c.Table, c.Column) }

// Kind implements Change.
func (c *DropColumn) Kind() string { return "drop-column" }

// Object implements Change.
func (c *RenameColumn) Object() Object { return columnObject(c.Table, c.Old) }

// Kind implements Change.
func (c *RenameColumn) Kind() string { return "rename-column" }

// Object implements Change.
func (c *RecreateColumn) Object() Object { return columnObject(c.Table, c.New) }

// Kind implements Change.
func (c *RecreateColumn) Kind() string { return "recreate-column" }

// Object implements Change.
func (c *ColumnType) Object() Object { return columnObject(c.Table, c.New) }

// Kind implements Change.
func (c *ColumnType) Kind() string { return "column-type" }

// Object implements Change.
func (c *ColumnNullability) Object() Object { return columnObject(c.Table, c.New) }

// Kind implements Change.
func (c *ColumnNullability) Kind() string { return "column-nullability" }

// Object implements Change.
func (c *ColumnDefault) Object() Object { return columnObject(c.Table, c.New) }

// Kind implements Change.
func (c *ColumnDefault) Kind() string { return "column-default" }

// Object implements Change.
func (c *ColumnOnUpdate) Object() Object { return columnObject(c.Table, c.New) }

// Kind implements Change.
func (c *ColumnOnUpdate) Kind() string { return "column-on-update" }

// Object implements Change.
func (c *ColumnAutoIncrement) Object() Object { return columnObject(c.Table, c.New) }

// Kind implements Change.
func (c *ColumnAutoIncrement) Kind() string { return "column-auto-increment" }

// Object implements Change.
func (c *ColumnCollation) Object() Object { return columnObject(c.Table, c.New) }

// Kind implements Change.
func (c *ColumnCollation) Kind() string { return "column-collation" }

// Object implements Change.
func (c *ColumnComment) Object() Object { return columnObject(c.Table, c.New) }

// Kind implements Change.
func (c *ColumnComment) Kind() string { return "column-comment" }

// Object implements Change.
func (c *ColumnGenerated) Object() Object { return columnObject(c.Table, c.New) }

// Kind implements Change.
func (c *ColumnGenerated) Kind() string { return "column-generated" }

// Object implements Change.
func (c *ColumnVisibility) Object() Object { return columnObject(c.Table, c.New) }

// Kind implements Change.
func (c *ColumnVisibility) Kind() string { return "column-visibility" }

// Object implements Change.
func (c *ColumnSRID) Object() Object { return columnObject(c.Table, c.New) }

// Kind implements Change.
func (c *ColumnSRID) Kind() string { return "column-srid" }

// Object implements Change.
func (c *ColumnAttributes) Object() Object { return columnObject(c.Table, c.New) }

// Kind implements Change.
func (c *ColumnAttributes) Kind() string { return "column-attributes" }

// Object implements Change.
func (c *ReorderColumns) Object() Object { return tableObject(c.New) }

// Kind implements Change.
func (c *ReorderColumns) Kind() string { return "reorder-columns" }

// Object implements Change.
func (c *AddKey) Object() Object { return Object{Kind: KindKey, Table: c.Table.Name, Name: c.Key.Name} }

// Kind implements Change.
func (c *AddKey) Kind() string { return "add-key" }

// Object implements Change.
func (c *DropKey) Object() Object {
	return Object{Kind: KindKey, Table: c.Table.Name, Name: c.Key.Name}
}

// Kind implements Change.
func (c *DropKey) Kind() string { return "drop-key" }

// Object implements Change.
func (c *RenameKey) Object() Object {
	return Object{Kind: KindKey, Table: c.Table.Name, Name: c.Old.Name}
}

// Kind implements Change.
func (c *RenameKey) Kind() string { return "rename-key" }

// Object implements Change.
func (c *ChangeKey) Object() Object {
	return Object{Kind: KindKey, Table: c.Table.Name, Name: c.New.Name}
}

// Kind implements Change.
func (c *ChangeKey) Kind() string { return "change-key" }

// Object implements Change.
func (c *AddForeignKey) Object() Object {
	return Object{Kind: KindForeignKey, Table: c.Table.Name, Name: c.FK.Name}
}

// Kind implements Change.
func (c *AddForeignKey) Kind() string { return "add-foreign-key" }

// Object implements Change.
func (c *DropForeignKey) Object() Object {
	return Object{Kind: KindForeignKey, Table: c.Table.Name, Name: c.FK.Name}
}

// Kind implements Change.
func (c *DropForeignKey) Kind() string { return "drop-foreign-key" }

// Object implements Change.
func (c *ChangeForeignKey) Object() Object {
	return Object{Kind: KindForeignKey, Table: c.Table.Name, Name: c.Old.Name}
}

// Kind implements Change.
func (c *ChangeForeignKey) Kind() string { return "change-foreign-key" }

// Object implements Change.
func (c *AddCheck) Object() Object {
	return Object{Kind: KindCheck, Table: c.Table.Name, Name: c.Check.Name}
}

// Kind implements Change.
func (c *AddCheck) Kind() string { return "add-check" }

// Object implements Change.
func (c *DropCheck) Object() Object {
	return Object{Kind: KindCheck, Table: c.Table.Name, Name: c.Check.Name}
}

// Kind implements Change.
func (c *DropCheck) Kind() string { return "drop-check" }

// Object implements Change.
func (c *ChangeCheck) Object() Object {
	return Object{Kind: KindCheck, Table: c.Table.Name, Name: c.Old.Name}
}

// Kind implements Change.
func (c *ChangeCheck) Kind() string { return "change-check" }

// Object implements Change.
func (c *ChangeView) Object() Object {
	x := c.New
	if x == nil {
		x = c.Old
	}
	return Object{Kind: KindView, Name: x.Name}
}

// Kind implements Change.
func (c *ChangeView) Kind() string { return verb(c.Old == nil, c.New == nil) + "view" }

// Object implements Change.
func (c *ChangeTrigger) Object() Object {
	x := c.New
	if x == nil {
		x = c.Old
	}
	return Object{Kind: KindTrigger, Table: x.Table, Name: x.Name}
}

// Kind implements Change.
func (c *ChangeTrigger) Kind() string { return verb(c.Old == nil, c.New == nil) + "trigger" }

// Object implements Change.
func (c *ChangeRoutine) Object() Object {
	x := c.New
	if x == nil {
		x = c.Old
	}
	return Object{Kind: KindRoutine, Name: x.Name}
}

// Kind implements Change.
func (c *ChangeRoutine) Kind() string { return verb(c.Old == nil, c.New == nil) + "routine" }

// Object implements Change.
func (c *ChangeEvent) Object() Object {
	x := c.New
	if x == nil {
		x = c.Old
	}
	return Object{Kind: KindEvent, Name: x.Name}
}

// Kind implements Change.
func (c *ChangeEvent) Kind() string { return verb(c.Old == nil, c.New == nil) + "event" }

// Object implements Change.
func (c *ChangeSequence) Object() Object {
	x := c.New
	if x == nil {
		x = c.Old
	}
	return Object{Kind: KindSequence, Name: x.Name}
}

// Kind implements Change.
func (c *ChangeSequence) Kind() string { return verb(c.Old == nil, c.New == nil) + "sequence" }

// Object implements Change.
func (c *ChangeDatabase) Object() Object { return Object{Kind: KindDatabase} }

// Kind implements Change.
func (c *ChangeDatabase) Kind() string { return "change-database" }

func tableObject(t *Table) Object { return Object{Kind: KindTable, Table: t.Name} }

func columnObject(t *Table, c *Column) Object {
	return Object{Kind: KindColumn, Table: t.Name, Name: c.Name}
}

// verb begins the kind of a change that can also be a creation or a drop.
func verb(created, dropped bool) string {
	switch {
	case created:
		return "add-"
	case dropped:
		return "drop-"
	}
	return "change-"
}
