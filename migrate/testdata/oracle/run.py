"""Runs migrations with the real libraries and writes what they did as JSON, one line for each revision.

    run.py graph DIR...
    run.py alembic URL DIR
    run.py migrate URL DIR

graph prints the order in which Alembic upgrades an empty database to all heads. The other two run a history on the
database behind URL. Each line holds the revision's id, the statements as the server received them (parameters
filled in, reads and version tables left out), and the error that ended it; the last line holds the tables' and views'
definitions. The project's env.py is not executed.

--path DIR       a folder that modules are imported from
--stub           modules that are not installed become empty stand-ins
--naming JSON    the naming convention of target_metadata
--each           definitions after every revision, not only the last
--to ID          stop after this revision
"""

import argparse
import importlib
import importlib.abc
import importlib.machinery
import json
import os
import re
import signal
import sys
import types
import warnings

import sqlalchemy
import sqlalchemy.orm  # migrations lean on it, as env.py has it
from sqlalchemy import event

warnings.simplefilter("ignore")


class Stub(type):
    """A class that has every attribute, and whose instances do too."""

    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Stub(name, (), {})

    def __call__(cls, *args, **kwargs):
        if cls.__dict__.get("__init__") is None and not args and not kwargs:
            return type.__call__(cls)
        if len(args) == 1 and callable(args[0]):
            return args[0]  # a decorator
        return Stub("stub", (), {})


class StubModule(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Stub(name, (), {})


class StubFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds what nobody else has found."""

    def find_spec(self, name, path, target=None):
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return StubModule(spec.name)

    def exec_module(self, module):
        module.__path__ = []


def engine_for(url):
    engine = sqlalchemy.create_engine(url)
    engine.log = []

    @event.listens_for(engine, "before_cursor_execute")
    def before(conn, cursor, statement, parameters, context, executemany):
        rows = parameters if executemany else [parameters]
        for row in rows:
            text = cursor.mogrify(statement, row)
            if not skipped(text):
                engine.log.append(text)

    return engine


def skipped(text):
    word = text.strip().split(None, 1)[0].upper() if text.strip() else ""
    if word in ("SELECT", "SHOW", "DESCRIBE", "ROLLBACK", "COMMIT"):
        return True
    return re.search(r"\b(alembic_version|migrate_version)\b", text) is not None


def definitions(engine):
    out = {}
    with engine.connect() as conn:
        for name, kind in conn.exec_driver_sql("SHOW FULL TABLES").fetchall():
            if name in ("alembic_version", "migrate_version"):
                continue
            quoted = "`" + name.replace("`", "``").replace("%", "%%") + "`"
            row = conn.exec_driver_sql("SHOW CREATE TABLE " + quoted).fetchone()
            out[name] = row[1]
    return out


def emit(**line):
    json.dump(line, sys.stdout)
    sys.stdout.write("\n")


def message(error):
    return "%s: %s" % (type(error).__name__, error)


def script_directory(path):
    from alembic.script import Script, ScriptDirectory

    def sorted_list(cls, scriptdir, folder):
        return sorted(os.listdir(folder))

    Script._list_py_dir = classmethod(sorted_list)
    versions = os.path.join(path, "versions")
    folders = [f for f, _, files in sorted(os.walk(versions)) if any(n.endswith(".py") for n in files)]
    return ScriptDirectory(path, version_locations=folders)


def run_graph(args):
    def give_up(signum, frame):
        raise TimeoutError("no end")

    signal.signal(signal.SIGALRM, give_up)
    for folder in args.rest:
        directory = script_directory(folder)
        signal.alarm(2)  # some cycles keep Alembic busy for ever
        try:
            steps = directory._upgrade_revs("heads", None)
            heads = directory.get_heads()
        except Exception as error:  # what Alembic refuses is part of the answer
            emit(error=message(error))
            continue
        emit(order=[s.revision.revision for s in steps], heads=sorted(heads))


def run_alembic(args):
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext

    engine = engine_for(args.url)
    directory = script_directory(args.dir)
    metadata = sqlalchemy.MetaData(naming_convention=json.loads(args.naming)) if args.naming else sqlalchemy.MetaData()
    done = []

    def steps(heads, context):
        for step in directory._upgrade_revs("heads", heads):
            engine.log.clear()
            done.append(step.revision.revision)
            yield step

    def applied(ctx, step, heads, run_args):
        line = {"id": step.up_revision_id, "statements": list(engine.log)}
        if args.each:
            line["schema"] = definitions(engine)
        emit(**line)
        if args.to == step.up_revision_id:
            raise StopIteration

    config = Config()
    config.set_main_option("script_location", args.dir)
    env = EnvironmentContext(config, directory, fn=steps)
    try:
        with env, engine.connect() as connection:
            env.configure(connection=connection, target_metadata=metadata, on_version_apply=applied)
            with env.begin_transaction():
                env.run_migrations()
    except Exception as error:
        if not isinstance(error, StopIteration) and not (isinstance(error, RuntimeError) and args.to):
            emit(id=done[-1] if done else "", statements=list(engine.log), error=message(error))
    emit(schema=definitions(engine))


def run_migrate(args):
    from migrate.versioning.repository import Repository
    from migrate.versioning.schema import ControlledSchema

    engine = engine_for(args.url)
    try:
        repository = Repository(args.dir)
    except Exception as error:
        emit(error=message(error))
        return
    numbers = sorted(int(v) for v in repository.versions.versions)
    first = numbers[0] - 1 if numbers else 0
    schema = ControlledSchema.create(engine, repository, first)
    for number in numbers:
        engine.log.clear()
        try:
            schema.upgrade(number)
        except Exception as error:
            emit(id=str(number), statements=list(engine.log), error=message(error))
            break
        line = {"id": str(number), "statements": list(engine.log)}
        if args.each:
            line["schema"] = definitions(engine)
        emit(**line)
        if args.to == str(number):
            break
    emit(schema=definitions(engine))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=["graph", "alembic", "migrate"])
    parser.add_argument("rest", nargs="+")
    parser.add_argument("--path", action="append", default=[])
    parser.add_argument("--stub", action="store_true")
    parser.add_argument("--naming")
    parser.add_argument("--each", action="store_true")
    parser.add_argument("--to")
    args = parser.parse_args()
    args.dir = os.path.abspath(args.rest[-1])
    args.url = args.rest[0]
    sys.path[:0] = [os.path.abspath(p) for p in args.path]
    sys.dont_write_bytecode = True
    if args.stub:
        importlib.import_module({"alembic": "alembic.runtime.environment", "migrate": "migrate.versioning.schema"}[args.mode])
        sys.meta_path.append(StubFinder())
    {"graph": run_graph, "alembic": run_alembic, "migrate": run_migrate}[args.mode](args)


main()
