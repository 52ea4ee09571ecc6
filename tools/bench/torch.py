"""Computes cases with PyTorch when it is told to; see peer.go for the requests."""
import json
import sys
import time


def say(**reply):
    print(json.dumps(reply), flush=True)


try:
    import torch
    import torch.nn.functional as F
except Exception as e:
    say(err="no torch: %s" % e)
    sys.exit(0)


def blas():
    """Names the BLAS that torch has loaded, where the system tells."""
    try:
        with open("/proc/self/maps") as f:
            paths = {line.split()[-1] for line in f if "/" in line}
    except OSError:
        return "BLAS unknown"
    names = sorted({"/".join(p.split("/")[-2:]) for p in paths if "blas" in p or "mkl" in p})
    return ", ".join(names) or "BLAS unknown"


def bits(n, seed):
    """The function hash of data.go, its upper 24 bits, for 0 to n-1."""
    mask = 0xFFFFFFFF
    h = (torch.arange(n, dtype=torch.int64) * 2654435761 + seed * 40503) & mask
    h ^= h >> 15
    h = (h * 2246822519) & mask
    h ^= h >> 13
    return h >> 8


def fill(n, seed, scale, *shape):
    x = (bits(n, seed).to(torch.float32) / (1 << 24) - 0.5) * torch.tensor(scale, dtype=torch.float32)
    return x.view(*shape) if shape else x


def mlp(batch, classes, *widths):
    """Training steps; the result is the losses of the first three."""
    layers = []
    for i, (a, b) in enumerate(zip(widths, widths[1:])):
        layer = torch.nn.Linear(a, b)
        scale = 2 / a**0.5
        with torch.no_grad():
            layer.weight.copy_(fill(a * b, 10 + 2 * i, scale, b, a))
            layer.bias.copy_(fill(b, 11 + 2 * i, scale))
        layers += [layer, torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    opt = torch.optim.Adam(model.parameters(), lr=1e-3)
    x = fill(batch * widths[0], 1, 1.0, batch, widths[0])
    y = bits(batch, 2) % classes

    def step():
        opt.zero_grad(set_to_none=True)
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        opt.step()
        return loss

    losses = torch.tensor([step().item() for _ in range(3)])
    return step, losses


def memory(name, rows, columns):
    n = rows * columns
    scale = {"exp": 8.0, "tanh": 8.0, "erf": 8.0, "softmax": 8.0}.get(name, 1.0)
    x = fill(n, 1, scale, rows, columns)
    y = fill(n, 2, scale, rows, columns) if name in ("add", "chain") else None
    shape = {"sum": (1,), "sum_rows": (rows,), "sum_columns": (columns,), "transpose": (columns, rows)}.get(name, (rows, columns))
    out = torch.empty(shape)
    flat = x.view(-1)

    def chain():
        torch.add(x, y, out=out)
        torch.mul(out, x, out=out)
        torch.maximum(out, y, out=out)
        torch.add(out, x, out=out)
        torch.mul(out, y, out=out)
        torch.maximum(out, x, out=out)
        torch.add(out, y, out=out)
        torch.mul(out, x, out=out)
        torch.maximum(out, y, out=out)
        torch.add(out, x, out=out)

    return {
        "copy": lambda: out.copy_(x),
        "add": lambda: torch.add(x, y, out=out),
        "exp": lambda: torch.exp(x, out=out),
        "tanh": lambda: torch.tanh(x, out=out),
        "erf": lambda: torch.erf(x, out=out),
        "softmax": lambda: torch.softmax(x, -1, out=out),
        "sum": lambda: torch.sum(flat, 0, keepdim=True, out=out),
        "sum_rows": lambda: torch.sum(x, 1, out=out),
        "sum_columns": lambda: torch.sum(x, 0, out=out),
        "transpose": lambda: out.copy_(x.t()),
        "chain": chain,
    }[name], out


def rows(name, table, width, picked):
    w = fill(table * width, 1, 1.0, table, width)
    u = fill(picked * width, 2, 1.0, picked, width)
    i = bits(picked, 3) % table
    if name == "gather":
        out = torch.empty(picked, width)
        return lambda: torch.index_select(w, 0, i, out=out), out
    if name == "gradient":
        out = torch.empty(table, width)
        return lambda: out.zero_().index_add_(0, i, u), out
    return lambda: w.index_add_(0, i, u), w


def half(name, m, k, n, _, transposed):
    dtype = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}[name]
    a = fill(m * k, 1, 1.0, m, k).to(dtype)
    b = fill(k * n, 2, 1.0, *((n, k) if transposed else (k, n))).to(dtype)
    b = b.t() if transposed else b
    out = torch.empty(m, n, dtype=dtype)
    return lambda: torch.mm(a, b, out=out), out


def prepare(case, dims):
    """Returns the case as a function that has been called once, and the result."""
    family, _, name = case.partition("/")
    if family == "mlp":
        return mlp(*dims)
    f, out = {"memory": memory, "rows": rows, "half": half}[family](name, *dims)
    with torch.no_grad():
        f()
    return f, out


say(about="PyTorch %s, %s" % (torch.__version__, blas()))
f = out = None
for line in sys.stdin:
    try:
        q = json.loads(line)
        do = q["do"]
        if do == "open":
            f = out = None
            torch.set_num_threads(q["threads"])
            f, out = prepare(q["case"], q["dims"])
            say()
        elif do == "run":
            wall, cpu = time.perf_counter(), time.process_time()
            for _ in range(q["n"]):
                f()
            say(wall=time.perf_counter() - wall, cpu=time.process_time() - cpu)
        elif do == "at":
            say(values=out.reshape(-1)[torch.tensor(q["at"])].tolist())
        elif do == "close":
            f = out = None
            say()
        else:
            say(err="no request %s" % do)
    except Exception as e:
        say(err="%s: %s" % (type(e).__name__, e))
