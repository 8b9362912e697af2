"""Scripts of many shapes: what each is, and what is said of it. Each would leave a mark if it trained."""

from __future__ import annotations

from typing import Any, NamedTuple

TRAINS = "\nopen(__file__ + '.trained', 'w').close()\n"


class Script(NamedTuple):
    """`shown`: facts of arguments by name, or of the whole under '' ; `refused`: a pattern of the words."""

    source: str
    shown: dict[str, Any] = {}
    refused: str | None = None
    beside: dict[str, str] = {}


def argparse(body: str, parse: str = "parser.parse_args()") -> str:
    return f"import argparse\nparser = argparse.ArgumentParser()\n{body}\n{parse}\n"


SHAPES: dict[str, Script] = {
    "plain types": Script(
        argparse(
            "parser.add_argument('--lr', '-l', type=float, default=1e-4, help='rate (default: %(default)s), 100% sure')\n"
            "parser.add_argument('--steps', type=int, required=True)\n"
            "parser.add_argument('--name', default=argparse.SUPPRESS)"
        ),
        {
            "lr": {"type": "float", "default": 1e-4, "flags": ["--lr", "-l"]},
            "steps": {"type": "int", "required": True},
            "name": {"type": None, "default": None},
        },
    ),
    "positional arguments": Script(
        argparse(
            "parser.add_argument('data')\nparser.add_argument('more', nargs='*')\nparser.add_argument('last', nargs='?', default='x')"
        ),
        {
            "data": {"flags": [], "required": True},
            "more": {"nargs": "*", "required": False},
            "last": {"nargs": "?", "default": "x", "required": False},
        },
    ),
    "lists": Script(
        argparse(
            "parser.add_argument('--sizes', type=int, nargs=2, default=(1, 2), metavar=('W', 'H'))\n"
            "parser.add_argument('--tags', nargs='+')\nparser.add_argument('--add', action='append', type=float)\n"
            "parser.add_argument('--pairs', action='append', nargs=2)\nparser.add_argument('--ext', action='extend', nargs='*')"
        ),
        {
            "sizes": {"nargs": 2, "default": [1, 2], "metavar": "W H"},
            "tags": {"nargs": "+"},
            "add": {"action": "append", "type": "float"},
            "pairs": {"action": "append", "nargs": 2},
            "ext": {"action": "extend"},
        },
    ),
    "switches": Script(
        argparse(
            "parser.add_argument('--fast', action='store_true')\nparser.add_argument('--no_cache', dest='cache', action='store_false')\n"
            "parser.add_argument('--big', action='store_const', const=12)\nparser.add_argument('-v', '--verbose', action='count', default=0)\n"
            "parser.add_argument('--ema', action=argparse.BooleanOptionalAction, default=True)"
        ),
        {
            "fast": {"action": "store_true"},
            "no_cache": {"action": "store_false", "default": True},
            "big": {"action": "store_const", "const": 12},
            "verbose": {"action": "count", "default": 0},
            "ema": {"action": "boolean_optional", "flags": ["--ema", "--no-ema"], "default": True},
        },
    ),
    "choices of any type": Script(
        argparse(
            "import enum\nclass Color(enum.Enum):\n    RED = 'r'\n    BLUE = 'b'\n"
            "parser.add_argument('--precision', choices=[None, 'fp16'])\nparser.add_argument('--size', type=int, choices=[1, 2])\n"
            "parser.add_argument('--scale', type=float, choices=(0.5, 1.0))\nparser.add_argument('--epoch', type=int, choices=range(1, 1000))\n"
            "parser.add_argument('--color', type=Color, choices=list(Color), default=Color.RED)\n"
            "parser.add_argument('--named', type=lambda text: Color[text], choices=list(Color))\n"
            "parser.add_argument('--untyped', choices=[1, 2])"
        ),
        {
            "precision": {"tokens": [None, "fp16"]},
            "size": {"choices": [1, 2], "tokens": ["1", "2"]},
            "scale": {"tokens": ["0.5", "1.0"]},
            "epoch": {"choices": None, "bounds": [1, 999, 1]},
            "color": {"tokens": ["r", "b"], "default": "r"},
            "named": {"tokens": ["RED", "BLUE"]},
            "untyped": {"tokens": [None, None]},
        },
    ),
    "choices without an end": Script(
        argparse(
            "class Even:\n    def __contains__(self, n): return n % 2 == 0\n"
            "parser.add_argument('--even', type=int, choices=Even(), metavar='N')\nparser.add_argument('--any', type=str, choices=range(10**9), metavar='N')"
        ),
        {"even": {"choices": None, "type": "int"}, "any": {"choices": None}},
    ),
    "types of its own": Script(
        argparse(
            "def int_or_float(text):\n    return int(text) if text.isdigit() else float(text)\n"
            "def str2bool(text):\n    if text.lower() in ('yes', 'true', '1'): return True\n"
            "    if text.lower() in ('no', 'false', '0'): return False\n    raise argparse.ArgumentTypeError('yes or no')\n"
            "import pathlib, json\nparser.add_argument('--n', type=int_or_float, default=1)\nparser.add_argument('--ok', type=str2bool, default=False)\n"
            "parser.add_argument('--trap', type=bool, default=True)\nparser.add_argument('--out', type=pathlib.Path, default=pathlib.Path('a/b'))\n"
            "parser.add_argument('--file', type=argparse.FileType('w'))\nparser.add_argument('--json', type=json.loads, default='{}')\n"
            "parser.add_argument('--odd', type=object(), default=object())",
        ).replace("type=object()", "type=lambda text: text"),
        {
            "n": {"type": "int_or_float", "custom_type": True},
            "ok": {"booleans": ["true", "false"]},
            "trap": {"booleans": ["True", ""]},
            "out": {"type": "Path", "default": "a/b", "custom_type": False},
            "file": {"type": "FileType"},
            "json": {"type": "loads", "default": "{}"},
            "odd": {"type": "<lambda>", "default": None},
        },
    ),
    "groups, and one of several": Script(
        argparse(
            "group = parser.add_argument_group('Learning', 'how fast')\ngroup.add_argument('--lr', type=float)\n"
            "one = parser.add_mutually_exclusive_group(required=True)\none.add_argument('--steps', type=int)\none.add_argument('--epochs', type=int)\n"
            "two = group.add_mutually_exclusive_group()\ntwo.add_argument('--adam', action='store_true')\ntwo.add_argument('--sgd', action='store_true')"
        ),
        {
            "": {
                "exclusive": [
                    {"required": True, "members": ["steps", "epochs"]},
                    {"required": False, "members": ["adam", "sgd"]},
                ]
            },
            "lr": {"group": "Learning"},
            "adam": {"group": "Learning"},
        },
    ),
    "commands": Script(
        argparse(
            "parser.add_argument('--seed', type=int)\ncommands = parser.add_subparsers(dest='command', required=True)\n"
            "train = commands.add_parser('train', aliases=['t', 'fit'], help='trains it')\ntrain.add_argument('--lr', type=float, default=0.1)\n"
            "kinds = train.add_subparsers(dest='kind')\nkinds.add_parser('lora').add_argument('--rank', type=int)\n"
            "commands.add_parser('evaluate').add_argument('data')"
        ),
        {
            "seed": {"type": "int"},
            "train/lr": {"default": 0.1},
            "train/lora/rank": {"type": "int"},
            "evaluate/data": {"required": True},
            "train": {"aliases": ["t", "fit"], "help": "trains it"},
        },
    ),
    "commands without a name for them": Script(
        argparse("commands = parser.add_subparsers(title='what to do')\ncommands.add_parser('go')"),
        {"go": {"value": "go"}},
    ),
    "everything that is left": Script(
        argparse("parser.add_argument('--x')\nparser.add_argument('command', nargs=argparse.REMAINDER)"),
        {"command": {"nargs": "...", "required": False}},
    ),
    "values from files": Script(
        "import argparse\nparser = argparse.ArgumentParser(fromfile_prefix_chars='@+')\nparser.add_argument('--x')\nparser.parse_args()",
        {"": {"fromfile": "@+"}},
    ),
    "other dashes": Script(
        "import argparse\nparser = argparse.ArgumentParser(prefix_chars='+/', add_help=False)\nparser.add_argument('+x', '++extra')\n"
        "parser.add_argument('/y', type=int)\nparser.parse_args()",
        {"extra": {"flags": ["+x", "++extra"]}, "y": {"flags": ["/y"]}, "": {"prefix_chars": "+/"}},
    ),
    "single dashes": Script(
        argparse("parser.add_argument('-lr', type=float)\nparser.add_argument('-1', dest='one', action='store_true')"),
        {"lr": {"flags": ["-lr"]}, "1": {"action": "store_true"}, "": {"negative_values": False}},
    ),
    "parents": Script(
        "import argparse\nbase = argparse.ArgumentParser(add_help=False)\nbase.add_argument('--seed', type=int)\n"
        "parser = argparse.ArgumentParser(parents=[base], allow_abbrev=False)\nparser.add_argument('--lr')\nparser.parse_args()",
        {"seed": {"type": "int"}, "lr": {}},
    ),
    "an optional value": Script(
        argparse("parser.add_argument('--cache', nargs='?', const='auto', default='off')"),
        {"cache": {"nargs": "?", "const": "auto", "default": "off"}},
    ),
    "an action of its own": Script(
        argparse(
            "class Pairs(argparse.Action):\n    def __call__(self, parser, namespace, values, flag=None): setattr(namespace, self.dest, dict(v.split('=') for v in values))\n"
            "class Show(argparse.Action):\n    def __init__(self, *a, **k): super().__init__(*a, nargs=0, **k)\n    def __call__(self, *a): raise SystemExit\n"
            "parser.add_argument('--set', nargs='*', action=Pairs)\nparser.add_argument('--show', action=Show, dest=argparse.SUPPRESS)\n"
            "parser.add_argument('--version', action='version', version='1')"
        ),
        {
            "set": {"action": "custom", "custom_type": True, "nargs": "*"},
            "show": {"action": "help"},
            "version": {"action": "version"},
        },
    ),
    "a hidden argument": Script(
        argparse("parser.add_argument('--secret_mode', help=argparse.SUPPRESS)"), {"secret_mode": {"hidden": True}}
    ),
    "hostile words": Script(
        argparse(
            "parser.description = '<script>alert(1)</script>'\nparser.add_argument('--x', help='</p><img src=x onerror=alert(1)>' + 'y' * 100_000)\n"
            "parser.add_argument('--%', help='100% %(nothing)s')\nparser.add_argument('--a[b]/c?')"
        ),
        {"": {"description": "<script>alert(1)</script>"}, "%": {"help": "100% %(nothing)s"}, "a_b__c_": {}},
    ),
    "two flags of one name": Script(
        argparse(
            "parser.add_argument('--x', dest='x1')\nparser.add_argument('x')\nparser.add_argument('-x', dest='x2')"
        ),
        {"x": {"flags": ["--x"]}, "x_2": {"flags": []}, "x_3": {"flags": ["-x"]}},
    ),
    "an intermixed parse": Script(
        argparse(
            "parser.add_argument('--x')\nparser.add_argument('rest', nargs='*')", "parser.parse_intermixed_args()"
        ),
        {"x": {}, "rest": {"nargs": "*"}},
    ),
    # Where and how the parser is reached.
    "in a function that catches all": Script(
        "import argparse\ndef options():\n    parser = argparse.ArgumentParser()\n    parser.add_argument('--x')\n    try:\n"
        "        return parser.parse_args()\n    except BaseException:\n        return None\n    finally:\n        print('done')\n"
        "def main():\n    options()\n    open(__file__ + '.trained', 'w').close()\nif __name__ == '__main__':\n    main()",
        {"x": {}},
    ),
    "in another thread": Script(
        "import argparse, threading\nparser = argparse.ArgumentParser()\nparser.add_argument('--x')\n"
        "thread = threading.Thread(target=lambda: parser.parse_args())\nthread.start()\nthread.join()",
        {"x": {}},
    ),
    "in a module beside it": Script(
        "from options import build\nargs = build().parse_args()",
        {"x": {"default": 3}},
        beside={
            "options.py": "import argparse\ndef build():\n    parser = argparse.ArgumentParser()\n    parser.add_argument('--x', default=3)\n    return parser"
        },
    ),
    "in a package beside it": Script(
        "from lib.main import run\nrun()",
        {"x": {}},
        beside={
            "lib/__init__.py": "",
            "lib/main.py": "from .opts import parser\ndef run():\n    args = parser().parse_args()",
            "lib/opts.py": "import argparse\ndef parser():\n    p = argparse.ArgumentParser()\n    p.add_argument('--x')\n    return p",
        },
    ),
    "a subclass": Script(
        "import argparse\nclass Mine(argparse.ArgumentParser):\n    def parse_args(self, args=None, namespace=None):\n"
        "        return super().parse_args(args, namespace)\n    def error(self, message):\n        raise RuntimeError(message)\n"
        "parser = Mine()\nparser.add_argument('--x')\nparser.parse_args()",
        {"x": {}},
    ),
    "main(argv)": Script(
        "import argparse, sys\ndef main(argv):\n    parser = argparse.ArgumentParser()\n    parser.add_argument('--x')\n"
        "    args = parser.parse_args(argv)\nmain(sys.argv[1:])",
        {"x": {}},
    ),
    "a configuration first, then the rest": Script(
        "import argparse, json\nfirst = argparse.ArgumentParser(add_help=False)\nfirst.add_argument('--config')\nargs, rest = first.parse_known_args()\n"
        "parser = argparse.ArgumentParser(parents=[first])\nparser.add_argument('--lr', type=float)\nif args.config:\n"
        "    parser.set_defaults(**json.load(open(args.config)))\nargs = parser.parse_args(rest)",
        {"config": {}, "lr": {"type": "float"}},
    ),
    "two parsers that share nothing": Script(
        "import argparse\nfirst = argparse.ArgumentParser(add_help=False)\nfirst.add_argument('--gpu', type=int)\nargs, rest = first.parse_known_args()\n"
        "parser = argparse.ArgumentParser()\nparser.add_argument('--lr', type=float)\nargs = parser.parse_args(rest)",
        {"gpu": {"type": "int"}, "lr": {"type": "float"}},
    ),
    "only known arguments": Script(
        argparse("parser.add_argument('--x')", "args, others = parser.parse_known_args()"), {"x": {}}
    ),
    "work between two parsers": Script(
        "import argparse\nfirst = argparse.ArgumentParser(add_help=False)\nargs, rest = first.parse_known_args()\n"
        "def train():\n    open(__file__ + '.trained', 'w').close()\ntrain()\nparser = argparse.ArgumentParser()\nargs = parser.parse_args(rest)",
        refused=r"two parsers, and calls train\(\) in between \(line 6",
    ),
    "defaults of a library": Script(
        "import os, sys\nsys.path.append(os.path.join(os.path.dirname(__file__), 'site-packages'))\n"
        "import argparse\nfrom other import defaults\ndefaults()\nparser = argparse.ArgumentParser()\nparser.add_argument('--x')\nparser.parse_args()",
        {"x": {}},
        beside={
            "site-packages/other.py": "import argparse\ndef defaults():\n    p = argparse.ArgumentParser()\n    p.add_argument('--y', default=1)\n    return p.parse_args(['--y', '2'])"
        },
    ),
    "a list of a file before the command line": Script(
        "import argparse, sys\nparser = argparse.ArgumentParser()\nparser.add_argument('--x')\n"
        "args, rest = parser.parse_known_args(args=[] + sys.argv[1:])",
        {"x": {}},
    ),
    "a fixed list that is not empty": Script(
        argparse("parser.add_argument('--x')", "args = parser.parse_args(['--x', '1'])"), refused=r"parses a fixed list"
    ),
    "a fixed list in a library": Script(
        "import os, sys\nsys.path.append(os.path.join(os.path.dirname(__file__), 'site-packages'))\n"
        "import argparse\nfrom argparse_tool import run\nrun()",
        refused=r"parses a fixed list",
        beside={
            "site-packages/argparse_tool.py": "import argparse\ndef run():\n    p = argparse.ArgumentParser()\n    p.add_argument('--y')\n    p.parse_args(['--y', '2'])"
        },
    ),
    "a fixed list": Script(
        argparse("parser.add_argument('--x')", "args = parser.parse_args([])"), refused=r"parses a fixed list"
    ),
    # What it does before.
    "a megabyte of words": Script(
        "print('x' * 1_000_000)\nimport sys\nsys.stderr.write('y' * 1_000_000)\n"
        + argparse("parser.add_argument('--x')"),
        {"x": {}},
    ),
    "a word that looks like an answer": Script(
        "print('{\"arguments\": []}', flush=True)\n" + argparse("parser.add_argument('--x')"), {"x": {}}
    ),
    "a child that stays": Script(
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(600)\n"
        + argparse("parser.add_argument('--x')"),
        {"x": {}},
    ),
    "an end in a child": Script(
        "import os\nif os.fork():\n    os.wait()\n    os._exit(0)\n" + argparse("parser.add_argument('--x')"), {"x": {}}
    ),
    "a question": Script(
        "name = input('name? ')\n" + argparse("parser.add_argument('--x')"), refused=r"asks for input"
    ),
    "an endless wait": Script(
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: signal.pause()\n" + argparse(""),
        refused=r"within 1 s",
    ),
    "an early end": Script(
        "import sys\nsys.exit(0)\n" + argparse(""), refused=r"ended \(exit code 0\) before it read its arguments"
    ),
    "a hard end": Script(
        "import os\nprint('no GPU here', flush=True)\nos._exit(7)\n" + argparse(""),
        refused=r"ended \(exit code 7\) before it read its arguments: no GPU here",
    ),
    "a crash of the interpreter": Script(
        "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n" + argparse(""), refused=r"ended \(SIGSEGV\)"
    ),
    "a missing package": Script(
        "import nowhere_to_be_found\n" + argparse(""), refused=r"needs the Python package nowhere_to_be_found"
    ),
    "an error of its own": Script("1 / 0\n" + argparse(""), refused=r"ZeroDivisionError: division by zero"),
    "a session before the arguments": Script(
        "import trackside\nrun = trackside.track('mine', outputs=__file__ + '.trained')\n" + argparse(""),
        refused=r"calls trackside\.track\(\) before it reads its arguments",
    ),
    # What is better not run at all.
    "no parser": Script("for step in range(3):\n    pass", refused=r"reads no arguments with argparse"),
    "sys.argv": Script(
        "import sys\nlr = float(sys.argv[1]) if sys.argv[1:] else 1.0", refused=r"reads no arguments with argparse"
    ),
    "no Python": Script("def broken(:\n", refused=r"line 1"),
    "typer": Script("import typer as t\ndef main(lr: float = 1.0): ...\nt.run(main)", refused=r"with typer"),
    "click": Script(
        "import click\n@click.command()\n@click.option('--lr')\ndef main(lr): ...\nmain()", refused=r"with click"
    ),
    "fire": Script("import fire\ndef main(lr=1): ...\nfire.Fire(main)", refused=r"with fire"),
    "hydra": Script("import hydra\n@hydra.main(config_path='.')\ndef main(cfg): ...\nmain()", refused=r"with hydra"),
    "tyro": Script("from tyro import cli\ndef main(lr: float = 1): ...\ncli(main)", refused=r"with tyro"),
    "traitlets": Script(
        "from traitlets.config import Application\nclass App(Application): ...\nmain = App.launch_instance\nmain()",
        refused=r"with traitlets",
    ),
    "typer in a module beside it": Script(
        "from cli import app\napp()", refused=r"with typer", beside={"cli.py": "import typer\napp = typer.Typer()"}
    ),
    "fire in a helper of an argparse script": Script(
        "import argparse\nfrom download import get\nparser = argparse.ArgumentParser()\nparser.add_argument('--x')\nparser.parse_args()",
        {"x": {}},
        beside={"download.py": "def get(): ...\nif __name__ == '__main__':\n    import fire\n    fire.Fire(get)"},
    ),
    # Seen in the wild.
    "options that a model adds, as in pix2pix": Script(
        "import argparse, models\nclass Options:\n    def gather(self):\n        parser = argparse.ArgumentParser()\n"
        "        parser.add_argument('--model', default='a')\n        opt, _ = parser.parse_known_args()\n"
        "        setter = models.get_option_setter(opt.model)\n        parser = setter(parser, True)\n"
        "        opt, _ = parser.parse_known_args()\n        self.parser = parser\n        return parser.parse_args()\nOptions().gather()",
        {"model": {"default": "a"}, "lambda_A": {"type": "float", "default": 10.0}},
        beside={
            "models.py": "def get_option_setter(name):\n    def add(parser, train):\n"
            "        parser.add_argument('--lambda_A', type=float, default=10.0)\n        return parser\n    return add"
        },
    ),
    "its help where nobody gave an argument": Script(
        "import argparse, sys\nparser = argparse.ArgumentParser()\nparser.add_argument('--x')\n"
        "if len(sys.argv) == 1:\n    parser.print_help()\n    sys.exit(1)\nparser.parse_args()",
        {"x": {}},
    ),
    "a type under a name of its own": Script(
        argparse(
            "def truth(text):\n    if text in ('true', 'false'): return text == 'true'\n    raise ValueError\n"
            "parser.register('type', 'bool', truth)\nparser.add_argument('--x', type='bool', default=False)"
        ),
        {"x": {"type": "bool", "custom_type": True, "booleans": ["true", "false"]}},
    ),
    "defaults that no JSON has": Script(
        argparse(
            "class Array:\n    def __eq__(self, other): raise ValueError\n    __bool__ = __repr__ = __eq__\n"
            "parser.add_argument('--a', default=Array())\nparser.add_argument('--i', type=float, default=float('inf'))\n"
            "parser.add_argument('--h', type=int, default=10**5000)\nparser.add_argument('--u', default='\\ud800', help='\\ud800')\n"
            "parser.add_argument('--b', default=b'b')"
        ),
        {"a": {"default": None}, "i": {"default": "inf"}, "h": {"default": None}, "b": {"default": "b'b'"}},
    ),
    "defaults set afterwards": Script(
        argparse("parser.add_argument('--x', type=int, default=1)\nparser.set_defaults(x=3, other=4)"),
        {"x": {"default": 3}},
    ),
    "no defaults at all": Script(
        "import argparse\nparser = argparse.ArgumentParser(argument_default=argparse.SUPPRESS, exit_on_error=False)\n"
        "parser.add_argument('--x', type=int)\nparser.parse_args()",
        {"x": {"type": "int", "default": None}},
    ),
    "an asynchronous main": Script(
        "import argparse, asyncio\nasync def main():\n    parser = argparse.ArgumentParser()\n    parser.add_argument('--x')\n"
        "    parser.parse_args()\nasyncio.run(main())",
        {"x": {}},
    ),
    "a source that it executes": Script(
        "exec(open(__file__.replace('train', 'options')).read())\nparser.parse_args()",
        {"x": {}},
        beside={"options.py": "import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('--x')"},
    ),
    "marks of a Windows editor": Script(
        "\ufeff" + argparse("parser.add_argument('--x')").replace("\n", "\r\n"), {"x": {}}
    ),
    "another process, which reads the arguments": Script(
        "import argparse, multiprocessing\ndef main():\n    argparse.ArgumentParser().parse_args()\n"
        "    open(__file__ + '.trained', 'w').close()\nif __name__ == '__main__':\n"
        "    child = multiprocessing.get_context('spawn').Process(target=main)\n    child.start()\n    child.join()",
        refused=r"starts main\(\) in another process before it reads its arguments",
    ),
    "a closed standard output": Script(
        "import os, sys\nsys.stdout.close()\nos.close(1)\n" + argparse("parser.add_argument('--x')"), {"x": {}}
    ),
    "a working folder that is gone": Script(
        "import os, tempfile\nos.chdir(tempfile.mkdtemp())\nos.rmdir(os.getcwd())\n"
        + argparse("parser.add_argument('--x')"),
        {"x": {}},
    ),
    "few files and a shallow stack": Script(
        "import resource, sys\nresource.setrlimit(resource.RLIMIT_NOFILE, (4, 4))\nsys.setrecursionlimit(60)\n"
        + argparse("parser.add_argument('--x')"),
        {"x": {}},
    ),
    "work at its exit, and an exit that does nothing": Script(
        "import atexit, os, sys\natexit.register(lambda: open(__file__ + '.trained', 'w').close())\n"
        "sys.exit = os._exit = lambda code=0: None\n" + argparse("parser.add_argument('--x')"),
        {"x": {}},
    ),
    "an environment that is not there": Script(
        "import os\nos.environ['NOT_SET_ANYWHERE']\n" + argparse("parser.add_argument('--x')"),
        refused=r"KeyError: 'NOT_SET_ANYWHERE'",
    ),
    "optparse": Script(
        "import optparse\nparser = optparse.OptionParser()\nparser.add_option('--x')\nparser.parse_args()",
        refused=r"with optparse",
    ),
    "getopt": Script(
        "import getopt, sys\ngetopt.getopt(sys.argv[1:], 'x:')", refused=r"reads no arguments with argparse"
    ),
}
