package simulate

// recordedQueries takes a service's real statements.
var recordedQueries = Source{
	Name: "recorded queries",
	Make: func(of Subject) (Workload, bool) { return Workload{}, false },
}
