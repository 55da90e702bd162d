// Package rules holds the rules that know how schema changes hurt running code. A rule is one value in one file; its
// examples are its tests and its documentation.
//
// What decides a place follows the catalogue's column "order": a hazard that does not place, because it is true only of
// code that does something unusual or comes from rows that new code writes, is a caution.
package rules

import "instep/analyzer"

// All are all rules, in the order of the catalogue: tables, columns, keys, foreign keys, checks, ENUM and SET, partitions, views,
// triggers, routines.
var All = []*analyzer.Rule{
	createTable,
	dropTable,
	renameTable,
	recreateTable,
	truncateTable,
	fillNewObjects,
	tableOption,

	addColumn,
	addColumnNotNullNoDefault,
	addColumnDefaultExpression,
	addGeneratedColumn,

	dropColumn,
	dropColumnNotNullNoDefault,
	storedObjectNamesColumn,
	renameColumn,
	reuseColumnName,
	reorderColumns,

	widenInteger,
	narrowInteger,
	integerSignedness,
	integerDisplayWidth,
	widenString,
	narrowString,
	charVarchar,
	decimalPrecision,
	temporalFractionalSeconds,
	textToJSON,
	jsonToText,
	changeColumnType,

	charsetWiden,
	charsetNarrow,
	collationChange,

	nullToNotNull,
	notNullToNull,
	setDefault,
	dropDefault,
	changeDefault,
	onUpdate,
	columnComment,
	columnMakeInvisible,
	columnMakeVisible,
	plainToGenerated,
	generatedToPlain,
	generatedExpressionChange,
	autoIncrementAdd,
	autoIncrementDrop,
	sridChange,

	addPrimaryKey,
	dropPrimaryKey,
	changePrimaryKey,
	addIndex,
	dropIndex,
	renameIndex,
	changeIndex,
	indexVisibility,
	addUniqueIndex,
	dropUniqueIndex,
	changeUniqueIndex,
	addFulltextIndex,
	dropFulltextIndex,
	addSpatialIndex,
	addFunctionalIndex,

	addForeignKey,
	dropForeignKey,
	changeForeignKey,
	renameForeignKey,

	addCheck,
	dropCheck,
	changeCheck,

	enumAppend,
	enumReorder,
	enumRemove,
	enumRenameValue,
	enumToString,
	stringToEnum,

	changePartition,

	createView,
	dropView,
	changeView,
	createTrigger,
	dropTrigger,
	changeTrigger,
	createRoutine,
	dropRoutine,
	changeRoutine,
	storedObjectMeetsChange,
}
