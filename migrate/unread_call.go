package migrate

import (
	"regexp"
	"slices"
	"strings"

	"instep/internal/python"
	"instep/internal/sqlalchemy"
)

// unreadCall is told of each call of code that cannot be read. That code may import alembic.op itself, or have a connection
// of its own: it needs no handle to change the schema. A call whose result is not used is made for what it does, so it is
// a gap, unless the name or the module says that it does something else: writes a log, shows progress, changes rows.
// So is a call that is given a statement which changes the schema. A call whose result is used is taken to compute.
//
// What a module does while it is imported is left out: that is not where migrations do their work.
func unreadCall(engine *sqlalchemy.Engine) func(ev *python.Eval, u *python.Unknown, call *python.Call, discarded bool) {
	return func(ev *python.Eval, u *python.Unknown, call *python.Call, discarded bool) {
		if u.Acts || u.Data || ev.Importing() {
			return // a gap already, rows, or an import
		}
		if strings.Contains(call.Callee, "exec") && len(call.Args) > 0 {
			switch engine.Touches(call.Args[0]) {
			case sqlalchemy.TouchesSchema:
				discarded = true
			case sqlalchemy.TouchesRows:
				return
			}
		}
		if !discarded || harmlessCalls[call.Callee] || !mayReachSchema(u.Why, call.Callee) {
			return
		}
		what := "what code does that is called for nothing but that"
		if call.Callee != "" {
			what = "what " + call.Callee + "() does, whose result is not used"
		}
		ev.Gap(python.Gap{Pos: call.Pos(), What: what, Why: u.Why})
	}
}

// harmlessCalls are names of functions and methods that leave the schema alone, whoever has them: logs, terminals and
// progress bars, rows in a session of an ORM, containers and files, flags of an application.
var harmlessCalls = wordSet(`debug info warning warn error exception critical fatal log msg success trace echo secho print pprint print_exc
	write writelines writerow writerows flush sleep close set_description set_postfix next finish start stop join
	add add_all delete merge commit rollback save save_all bulk_save_objects bulk_insert_mappings bulk_update_mappings bulk_create
	update refresh expire expire_all expunge expunge_all begin begin_nested
	append extend insert remove discard pop clear sort reverse setdefault
	push seed configure_mappers load_dotenv capture_message capture_exception incr gauge timing`)

// harmlessModules have nothing to do with databases.
var harmlessModules = wordSet(`loguru structlog oslo_log eliot click tqdm rich colorama termcolor progressbar alive_progress tabulate prettytable
	sentry_sdk raven statsd datadog newrelic prometheus_client dotenv faker requests httpx urllib3 boto3 botocore redis psutil pytz tzlocal`)

// Standard modules that run other programs, or code that is found at run time.
var actingModules = wordSet("subprocess importlib imp runpy")

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

// The reasons why code is not known, as package python gives them.
var (
	notHere     = regexp.MustCompile(`^([\w.]+) is not in this repository$`)
	notModelled = regexp.MustCompile(`^(?:the module |not everything of )?([\w.]+)(?:\(\))? is not modelled$|^not everything of ([\w.]+) is modelled$`)
	eachRun     = regexp.MustCompile(`^(\w+)\.\w+ differs from run to run$`)
	notRead     = regexp.MustCompile(` cannot be (parsed|read): |^the evaluation of \S+ ended early$`)
)

// mayReachSchema tells whether code that is not known for this reason may change the schema.
func mayReachSchema(why, callee string) bool {
	top := func(module string) string { name, _, _ := strings.Cut(module, "."); return name }
	if m := notHere.FindStringSubmatch(why); m != nil {
		return !harmlessModules[top(m[1])]
	}
	if m := notModelled.FindStringSubmatch(why); m != nil {
		name := top(m[1] + m[2])
		return actingModules[name] || slices.Contains([]string{"sqlalchemy", "alembic", "migrate"}, name)
	}
	if m := eachRun.FindStringSubmatch(why); m != nil {
		return actingModules[m[1]]
	}
	if strings.HasPrefix(why, "what os.") {
		return callee == "system" || callee == "popen" || strings.HasPrefix(callee, "exec") || strings.HasPrefix(callee, "spawn") || strings.HasPrefix(callee, "posix_spawn")
	}
	return notRead.MatchString(why)
}
