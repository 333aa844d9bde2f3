namespace Sora.Bench;

/// <summary>A benchmark by its name on the command line.</summary>
/// <param name="Name">The name.</param>
/// <param name="Run">Measures; told whether only to try, at tiny sizes.</param>
/// <param name="OnDevice">Whether it measures the device of <c>--device</c>; the others measure what the processor does.</param>
/// <param name="ByName">Whether it runs only where it is named: it takes half an hour.</param>
internal sealed record Benchmark(string Name, Func<bool, IEnumerable<Measurement>> Run, bool OnDevice = false, bool ByName = false)
{
    /// <summary>All of them, in the order in which they run.</summary>
    public static IReadOnlyList<Benchmark> All { get; } =
    [
        new("transformer", TransformerBenchmark.Run, OnDevice: true),
        new("products", ProductBenchmark.Run),
        new("attention", AttentionBenchmark.Run, OnDevice: true),
        new("decoder", DecoderBenchmark.Run, OnDevice: true),
        new("encoder", EncoderBenchmark.Run, OnDevice: true),
        new("tiles", TilingBenchmark.Run, OnDevice: true),
        new("text", TextEncoderBenchmark.Run, OnDevice: true),
        new("training", TrainingBenchmark.Run, OnDevice: true),
        new("cache", StepCacheBenchmark.Run, OnDevice: true),
        new("growth", GrowthBenchmark.Run, OnDevice: true),
        new("engine", EngineCallBenchmark.Run),
        new("dequantization", DequantizationBenchmark.Run),
        new("memory", DecodingMemoryBenchmark.Run),
        new("estimates", EstimateBenchmark.Run),
        new("limit", MemoryLimitBenchmark.Run),
        new("endurance", EnduranceBenchmark.Run),
        new("reliability", ReliabilityBenchmark.Run),
        new("cli", CommandLineBenchmark.Run),
        new("packing", PackingBenchmark.Run),
        new("samplers", SamplerBenchmark.Run),
        new("autoencoder", AutoencoderBenchmark.Run, ByName: true),
        new("scaling", ScalingBenchmark.Run, ByName: true),
    ];
}
