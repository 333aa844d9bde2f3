// Sora's benchmarks: bench/run.sh [--quick] [--only NAME] [--device NAME] [--output FILE]; docs/performance.md says what they measure.
using System.Text.Json.Nodes;
using Sora.Bench;

if (args is [ChildProcess.Argument, { } kind, { } value])
{
    ChildProcess.Answer(kind, value);
    return 0;
}

bool quick = false;
string? only = null, output = null, deviceName = null;
for (int i = 0; i < args.Length; i++)
{
    if (args[i] == "--quick")
        quick = true;
    else if (args[i] == "--only" && i + 1 < args.Length && Benchmark.All.Any(b => b.Name == args[i + 1]))
        only = args[++i];
    else if (args[i] == "--device" && i + 1 < args.Length)
        deviceName = args[++i];
    else if (args[i] == "--output" && i + 1 < args.Length)
        output = args[++i];
    else
        return Fail($"'{args[i]}' is not understood; known: --quick, --only {string.Join('|', Benchmark.All.Select(b => b.Name))}, --device cpu|cuda, --output FILE.");
}
if (deviceName is not null && !BenchDevice.TryChoose(deviceName))
    return Fail($"the tensor engine finds no CUDA for --device {deviceName}; nearest: cpu.");

set_num_threads(Environment.ProcessorCount);
var rows = new List<Measurement>();
// One benchmark alone renews its rows and leaves the others.
IReadOnlyList<JsonNode> others = only is not null && output is not null ? Report.Read(output) : [];
foreach (Benchmark benchmark in Benchmark.All.Where(b => only is null ? !b.ByName && (deviceName is null || b.OnDevice) : b.Name == only))
{
    Console.Error.WriteLine($"{benchmark.Name} ...");
    rows.AddRange(benchmark.Run(quick).Select(row => quick && !row.Exact ? row with { Least = null, Most = null } : row));
    // What is measured is not lost where a later benchmark is interrupted.
    if (output is not null)
        Report.Save(rows, output, others);
}
Report.Print(rows, Console.Out);
if (quick)
    Console.WriteLine("--quick: tiny sizes, once each; the numbers mean nothing, but targets that are shown hold on every machine.");
return quick && rows.Any(row => row.Met == false) ? 1 : 0;

static int Fail(string message)
{
    Console.Error.WriteLine($"bench: {message}");
    return 2;
}
