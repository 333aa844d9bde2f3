using System.Globalization;

namespace Sora.Cli;

/// <summary>What a generation would take, as text.</summary>
internal static class EstimateText
{
    public static void Write(GenerationEstimate estimate)
    {
        VideoRequest request = estimate.Request;
        Console.WriteLine(Invariant($"{request.Width}x{request.Height}, {request.FrameCount} frames{(estimate.Windows == 1 ? "" : $" in {estimate.Windows} windows")}: {estimate.Tokens:N0} tokens{(estimate.Windows == 1 ? "" : " in the largest")}, {estimate.Evaluations} evaluations of the transformer"));
        Console.WriteLine($"Operations: {Operations(estimate.Operations)} (text encoder {Operations(estimate.TextEncoderOperations)}, transformer {Operations(estimate.TransformerOperations)}, decoder {Operations(estimate.DecoderOperations)})");
        foreach (StageMemory stage in estimate.Memory)
            Console.WriteLine($"Memory {StageName.Of(stage.Stage).ToLowerInvariant()}: {Bytes(stage.Total)} (weights {Bytes(stage.Weights)}{(stage.IsStreamed ? ", layer by layer" : "")}; activations {Bytes(stage.Activations)})");
        string available = estimate.AvailableMemory is not { } memory ? "" : $"; {Bytes(memory)} available{(estimate.Fits ? "" : ": it does not fit")}";
        Console.WriteLine($"Memory at the peak: {Bytes(estimate.PeakMemory)}{available}");
        if (estimate.VaeTiles > 1)
            Console.WriteLine(Invariant($"The video decoder works in {estimate.VaeTiles} tiles"));
        Console.WriteLine($"Time: about {TimeText.Of(estimate.Time)} at {Operations(estimate.OperationsPerSecond)} a second, the rate of a matrix product measured now");
    }

    private static string Operations(double count) => count switch
    {
        >= 1e15 => Invariant($"{count / 1e15:0.0} PFLOP"),
        >= 1e12 => Invariant($"{count / 1e12:0.0} TFLOP"),
        _ => Invariant($"{count / 1e9:0.000} GFLOP"),
    };

    private static string Bytes(long bytes) => bytes >= 100_000_000 ? Invariant($"{bytes / 1e9:0.0} GB") : Invariant($"{bytes / 1e6:0.0} MB");

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
