// Sora's benchmarks: bench/run.sh [--quick] [--only NAME] [--output FILE]; docs/performance.md says what they measure.
using Sora.Bench;

if (args is [DecodingMemoryBenchmark.ChildArgument, { } frames])
{
    DecodingMemoryBenchmark.RunChild(frames);
    return 0;
}

(string Name, Func<bool, IEnumerable<Measurement>> Run)[] benchmarks =
[
    ("transformer", TransformerBenchmark.Run),
    ("decoder", DecoderBenchmark.Run),
    ("engine", EngineCallBenchmark.Run),
    ("dequantization", DequantizationBenchmark.Run),
    ("memory", DecodingMemoryBenchmark.Run),
    ("estimates", EstimateBenchmark.Run),
    ("endurance", EnduranceBenchmark.Run),
    ("cli", CommandLineBenchmark.Run),
    ("samplers", SamplerBenchmark.Run),
    ("packing", PackingBenchmark.Run),
];
bool quick = false;
string? only = null, output = null;
for (int i = 0; i < args.Length; i++)
{
    if (args[i] == "--quick")
        quick = true;
    else if (args[i] == "--only" && i + 1 < args.Length && benchmarks.Any(b => b.Name == args[i + 1]))
        only = args[++i];
    else if (args[i] == "--output" && i + 1 < args.Length)
        output = args[++i];
    else
        return Fail($"'{args[i]}' is not understood; known: --quick, --only {string.Join('|', benchmarks.Select(b => b.Name))}, --output FILE.");
}

set_num_threads(Environment.ProcessorCount);
var rows = new List<Measurement>();
foreach ((string name, Func<bool, IEnumerable<Measurement>> run) in benchmarks.Where(b => only is null || b.Name == only))
{
    Console.Error.WriteLine($"{name} ...");
    rows.AddRange(run(quick).Select(row => quick ? row with { Least = null, Most = null } : row));
}
Report.Print(rows, Console.Out);
if (quick)
    Console.WriteLine("--quick: tiny sizes, once each; the numbers mean nothing.");
if (output is not null)
    Report.Save(rows, output);
return 0;

static int Fail(string message)
{
    Console.Error.WriteLine($"bench: {message}");
    return 2;
}
