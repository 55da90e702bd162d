package simulate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"instep/analyzer"
	"instep/analyzer/schema"
)

// rehearsalRows is how many rows a table has when the pending statements are tried on rows of all kinds, and in the databases
// in which accidents are tried.
const rehearsalRows = 200

// maxRounds bounds how often the rehearsal begins again with rows that fit one more statement.
const maxRounds = 12

// A run is one simulation under way.
type run struct {
	in       Input
	o        Options
	server   *Server
	services []analyzer.Service
	progress Progress
}

// Run simulates an upgrade. Its error says that the simulation could not be done: no engine (*UnavailableError), a server that
// ended, a dump that cannot be loaded. What the server refuses of the upgrade is a finding and no error. When it returns,
// everything that it has made is gone, unless Options.Keep is set.
func Run(ctx context.Context, in Input, o Options) (sim *analyzer.Simulation, err error) {
	pending := false
	for _, d := range in.Upgrade.Databases {
		pending = pending || len(pendingOf(d)) > 0
	}
	if !pending {
		return nil, errNoStatements
	}
	o.Configured = in.Upgrade.Server
	o.Progress.stage("starting a server", 0)
	srv, err := Start(ctx, o.EngineOptions, o.Progress.note)
	if err != nil {
		return nil, err
	}
	keep := false
	defer func() {
		if keep {
			return
		}
		if cerr := srv.Close(); cerr != nil {
			err = errors.Join(err, fmt.Errorf("removing the server: %w", cerr))
		}
	}()
	if sim, err = runOn(ctx, srv, in, o); err != nil {
		if srv.ended != nil {
			if why := srv.ended(); why != nil {
				return nil, why
			}
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, err
	}
	if o.Keep {
		keep = true
		sim.Server.Connect = srv.Connect
	}
	return sim, nil
}

// runOn simulates an upgrade on a server that runs.
func runOn(ctx context.Context, srv *Server, in Input, o Options) (*analyzer.Simulation, error) {
	r := &run{in: in, o: o, server: srv, services: in.Upgrade.Services, progress: o.Progress}
	if len(r.services) == 0 {
		r.services = []analyzer.Service{{Name: "code"}}
	}
	sim := &analyzer.Simulation{Server: analyzer.SimulatedServer{
		Engine: srv.Engine, Name: srv.Name, Configured: in.Upgrade.Server.String(), Differs: Differs(srv, in.Upgrade.Server),
		Notes: slices.Clone(srv.Notes),
	}}
	for i, d := range in.Upgrade.Databases {
		if len(pendingOf(d)) == 0 {
			continue
		}
		db, err := r.database(ctx, i, d)
		if err != nil {
			return nil, err
		}
		sim.Databases = append(sim.Databases, *db)
	}
	return sim, nil
}

// pendingOf gives the pending statements of a database in the order in which they run, those that instep could not apply
// included: the server may take them.
func pendingOf(d analyzer.Database) []schema.Statement {
	var list []schema.Statement
	for _, m := range d.Migrations {
		if m.State == analyzer.Pending {
			list = append(list, m.Statements...)
		}
	}
	return list
}

// suffix tells the databases of one run apart.
func (r *run) suffix(i int) string {
	if len(r.in.Upgrade.Databases) == 1 {
		return ""
	}
	return fmt.Sprint(i)
}

// database simulates the upgrade of one database.
func (r *run) database(ctx context.Context, i int, d analyzer.Database) (*analyzer.SimulatedDatabase, error) {
	out := &analyzer.SimulatedDatabase{Name: d.Name}
	var in Database
	if i < len(r.in.Databases) {
		in = r.in.Databases[i]
	}
	steps := pendingOf(d)
	dep, err := r.load(ctx, i, d, in)
	if err != nil {
		return nil, err
	}
	states := statesOf(dep.schema, steps)
	out.Steps = make([]analyzer.SimulatedStep, len(steps))
	for k, st := range steps {
		out.Steps[k].Statement = st
	}
	rows := r.o.Rows
	if r.o.Dump == "" {
		if rows.Fit, err = r.rehearse(ctx, i, dep, steps, states, out.Steps); err != nil {
			return nil, err
		}
		started := time.Now()
		counts, err := fill(ctx, r.server, dep.name, dep.schema, rows, r.progress)
		if err != nil {
			return nil, err
		}
		dep.load.Millis = millis(time.Since(started))
		dep.load.Seed, dep.load.Fitted = rows.Seed, rows.Fit != nil
		for _, n := range counts {
			dep.load.Rows += n
		}
	}
	dep.load.Tables = len(dep.schema.Tables())
	end, skip, err := r.walk(ctx, i, d, dep, steps, states, rows, out)
	if err != nil {
		return nil, err
	}
	out.Load = dep.load
	if !r.o.Keep {
		if err := r.server.dropDatabase(ctx, dep.name); err != nil {
			return nil, err
		}
	}
	if end == len(steps) { // else the upgrade does not get there; the report says so
		few := small(rows)
		out.Faults, err = faults(ctx, r.server, faultInput{
			Name: "fault" + r.suffix(i), States: states, Steps: steps, Skip: skip, Down: in.Down, NoDown: in.NoDown,
			Kill: r.o.Faults, Limit: r.o.StatementLimit,
			Build: func(ctx context.Context, name string) (string, error) { return r.copy(ctx, name, states[0], few) },
		}, r.progress)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// load makes the deployed database, without generated rows.
func (r *run) load(ctx context.Context, i int, d analyzer.Database, in Database) (*deployed, error) {
	if r.o.Dump == "" {
		dep, err := r.deployed(ctx, "main"+r.suffix(i), d, in)
		if err != nil {
			return nil, err
		}
		return dep, r.empty(ctx, dep)
	}
	if len(r.in.Upgrade.Databases) > 1 {
		return nil, errors.New("--dump: the repository has several databases, and a dump is loaded into one")
	}
	dep := &deployed{load: analyzer.SimulatedLoad{From: "dump"}}
	var err error
	if dep.name, err = r.create(ctx, "main", schema.New(r.server.Version)); err != nil {
		return nil, err
	}
	if dep.load.Statements, err = loadDump(ctx, r.server, dep.name, r.o.Dump, r.progress); err != nil {
		return nil, err
	}
	if dep.schema, err = r.definitions(ctx, dep.name); err != nil {
		return nil, err
	}
	if d.Old.Server().MariaDB == r.server.Version.MariaDB {
		for _, text := range differences(d.Old, dep.schema) {
			dep.differs("the dump is not what the migrations make: %s", text)
		}
	}
	dep.load.Rows, err = r.count(ctx, dep)
	return dep, err
}

// count gives the number of rows of a database.
func (r *run) count(ctx context.Context, dep *deployed) (int64, error) {
	c, err := r.guest(ctx, dep.name)
	if err != nil {
		return 0, err
	}
	defer c.close()
	var total int64
	for _, t := range dep.schema.Tables() {
		rows, err := c.query(ctx, 1, "SELECT COUNT(*) FROM "+quoteName(t.Name))
		if err != nil {
			return 0, err
		}
		var n int64
		fmt.Sscan(rows[0][0].String, &n)
		total += n
	}
	return total, nil
}

// statesOf gives the schema before the first statement and after each.
func statesOf(s *schema.Schema, steps []schema.Statement) []*schema.Schema {
	states := []*schema.Schema{s}
	for _, st := range steps {
		after, _ := s.Apply(st) // where it cannot be applied, what is known; the server's word is asked for after each step
		s = after
		states = append(states, s)
	}
	return states
}

// copy makes another database at the deployed schema, with a few rows.
func (r *run) copy(ctx context.Context, name string, s *schema.Schema, rows RowOptions) (string, error) {
	dep, err := r.fromSchema(ctx, name, s)
	if err != nil {
		return "", err
	}
	_, err = fill(ctx, r.server, dep.name, s, rows, Progress{})
	return dep.name, err
}

// rehearse runs the upgrade on few rows of all kinds. A statement that fails on them is tried again on rows that fit the schema
// after it, and the others again; what it gives is the schemas that the rows of the simulation have to fit.
func (r *run) rehearse(ctx context.Context, i int, dep *deployed, steps []schema.Statement, states []*schema.Schema, out []analyzer.SimulatedStep) ([]*schema.Schema, error) {
	rows := r.o.Rows
	if rows.Each == 0 && len(rows.Tables) == 0 {
		return nil, nil
	}
	rows.Each, rows.Tables = rehearsalRows, nil
	r.progress.stage("rehearsing the pending statements on rows of all kinds", int64(len(steps)))
	var fit []*schema.Schema
	for range min(len(steps), maxRounds) + 1 {
		name, err := r.copy(ctx, "try"+r.suffix(i), dep.schema, withFit(rows, fit))
		if err != nil {
			return nil, err
		}
		k, refused, err := r.attempt(ctx, name, steps, states)
		if derr := r.server.dropDatabase(ctx, name); err == nil {
			err = derr
		}
		if err != nil {
			return nil, err
		}
		if refused == nil || out[k].OnRows != nil { // it fails on fitting rows too: for another reason than rows
			if refused != nil {
				out[k].OnRows = nil
			}
			return fit, nil
		}
		out[k].OnRows = refused
		fit = states[1 : k+2]
	}
	return fit, nil
}

func withFit(o RowOptions, fit []*schema.Schema) RowOptions {
	o.Fit = fit
	return o
}

// attempt runs statements until one is refused, and gives its index.
func (r *run) attempt(ctx context.Context, database string, steps []schema.Statement, states []*schema.Schema) (int, *analyzer.ServerError, error) {
	c, err := r.guest(ctx, database)
	if err != nil {
		return 0, nil, err
	}
	defer c.close()
	for k, st := range steps {
		harmless := leftOut(states[k], st)
		if st.Params && harmless {
			continue
		}
		if st.Params {
			return k, notRun, nil
		}
		if err := c.exec(ctx, st.SQL); err != nil {
			refused, ok := serverError(err)
			if !ok {
				return k, nil, fmt.Errorf("%s: %w", st.Pos, err)
			}
			if !harmless || !forbidden(refused.Code) {
				return k, refused, nil
			}
		}
	}
	return len(steps), nil, nil
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// notRun is the error of a statement whose values are known only at run time.
var notRun = &analyzer.ServerError{Message: "it was not run: its values are known only at run time"}

// leftOut tells whether a statement that cannot be run may be left out: one that is understood, and changes nothing of the schema and
// of how later statements act. Without another one the states after it would not be what they are taken for.
func leftOut(before *schema.Schema, st schema.Statement) bool {
	after, err := before.Apply(st)
	return err == nil && (after == before || len(schema.Diff(before, after)) == 0 &&
		after.SQLMode() == before.SQLMode() && after.ForeignKeyChecks() == before.ForeignKeyChecks())
}

// forbidden tells whether an error says no more than that the guest may not do a thing: global settings, accounts, other databases
// (MySQL manual: Server Error Message Reference). The upgrade's own account may be allowed to.
func forbidden(code int) bool { return slices.Contains([]int{1044, 1045, 1142, 1227, 1370}, code) }

// walk runs the pending statements on the loaded database, and all code on every state. It gives the number of the last state
// that was reached, and the steps that were left out, from 1.
func (r *run) walk(ctx context.Context, i int, d analyzer.Database, dep *deployed, steps []schema.Statement, states []*schema.Schema, rows RowOptions, out *analyzer.SimulatedDatabase) (int, map[int]bool, error) {
	m, err := newMatrix(ctx, r.server, dep.name, matrixInput{
		Services: r.services, SQLMode: r.in.Upgrade.SQLMode, Queries: r.in.Queries,
		Deployed: states[0], Target: states[len(steps)], States: states, Old: d.Old, New: d.New,
		DeployedRev: r.in.Upgrade.Deployed.Rev, TargetRev: r.in.Upgrade.Target.Rev,
	})
	if err != nil {
		return 0, nil, err
	}
	migrator, err := r.guest(ctx, dep.name)
	if err != nil {
		return 0, nil, err
	}
	defer migrator.close()
	r.progress.stage("running the upgrade, and old and new code on every state", int64(len(steps))+1)
	if err := m.run(ctx, dep.name, states[0], 0); err != nil {
		return 0, nil, err
	}
	r.progress.add(1)
	reached := 0
	skipped := map[int]bool{}
	for k, st := range steps {
		step := &out.Steps[k]
		harmless := leftOut(states[k], st)
		if st.Params {
			step.Error = notRun
			if harmless {
				step.Skipped, step.Error = "its values are known only at run time", nil
			}
		} else {
			onRows := step.OnRows
			o := measureOptions{Traffic: r.o.Measure, Probe: r.o.Measure, Rate: r.o.Rate, LockWait: r.o.LockWaitTimeout}
			if *step, err = measure(ctx, migrator, dep.name, states[k], states[k+1], st, o); err != nil {
				return 0, nil, err
			}
			step.OnRows = onRows
		}
		if step.Error != nil && harmless && forbidden(step.Error.Code) {
			step.Skipped, step.Error = "the account of a simulation may not do it: "+step.Error.String(), nil
		}
		if step.Skipped != "" {
			skipped[k+1] = true
		}
		if step.Error != nil {
			for j := k + 1; j < len(steps); j++ {
				out.Steps[j].Skipped = fmt.Sprintf("the upgrade ended at step %d", k+1)
			}
			break
		}
		reached++
		if err := r.settle(ctx, dep, steps, states, k, skipped[k+1]); err != nil {
			return 0, nil, err
		}
		if err := m.run(ctx, dep.name, states[k+1], k+1); err != nil {
			return 0, nil, err
		}
		r.progress.add(1)
	}
	complete := reached == len(steps)
	if !complete {
		// What new code's own statements are shows only on the schema that it is written for.
		if name, err := r.copy(ctx, "own"+r.suffix(i), states[len(steps)], withFit(small(rows), nil)); err == nil {
			if err := m.run(ctx, name, states[len(steps)], ownState); err != nil {
				return 0, nil, err
			}
		} else if ctx.Err() != nil {
			return 0, nil, err
		}
	}
	out.Cells, out.Workloads = m.cells(complete), m.workloads(complete)
	return reached, skipped, nil
}

// settle compares the server's schema after step k+1 with what instep worked out, and goes on from the server's where they differ.
func (r *run) settle(ctx context.Context, dep *deployed, steps []schema.Statement, states []*schema.Schema, k int, skipped bool) error {
	have, err := r.definitions(ctx, dep.name)
	if err != nil {
		return err
	}
	list := differences(states[k+1], have)
	if len(list) == 0 {
		return nil
	}
	if _, err := states[k].Apply(steps[k]); err == nil && !skipped { // else instep knows that it does not know
		for _, text := range list {
			dep.differs("after step %d: %s", k+1, text)
		}
	}
	copy(states[k+1:], statesOf(have, steps[k+1:]))
	return nil
}

// small is as many rows as a rehearsal has.
func small(rows RowOptions) RowOptions {
	rows.Each, rows.Tables = min(rows.Each, rehearsalRows), nil
	return rows
}
