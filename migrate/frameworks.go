package migrate

// Frameworks are all frameworks that are known, the more specific first: a folder belongs to the first that claims it.
var Frameworks = []*Framework{
	Alembic,
	SQLAlchemyMigrate,
	Flyway,
	Goose,
	SQLMigrate,
	Dbmate,
	Diesel,
	SchemaManifest,
	GolangMigrate,
	PlainSQL,
}
