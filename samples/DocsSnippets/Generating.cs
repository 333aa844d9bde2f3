using Sora.Frames;

namespace Sora.DocsSnippets;

internal static class Generating
{
    public static async Task ChooseEverything(CancellationToken cancellationToken)
    {
        var options = new VideoGeneratorOptions { Device = "cuda:0", Precision = Precision.BFloat16 };
        using VideoGenerator generator = await VideoGenerator.LoadAsync("Wan2.1-T2V-1.3B-Diffusers", options, null, cancellationToken);

        var request = new VideoRequest("A red fish swims left in the deep sea")
        {
            NegativePrompt = "blurry",
            Width = 832, Height = 480, FrameCount = 81, FramesPerSecond = 16,
            Steps = 50, GuidanceScale = 5, Shift = 3, Sampler = Sampler.UniPC, Seed = 42,
        };
        var progress = new Progress<GenerationProgress>(p => Console.WriteLine($"{p.Stage} {p.Step}/{p.StepCount}"));
        await using GeneratedVideo video = await generator.GenerateAsync(request, progress, cancellationToken);
        await video.SaveAsync("fish.mp4", cancellationToken);
        await using GeneratedVideo variation = await generator.GenerateAsync(request with { Seed = 43 }, null, cancellationToken);
    }

    public static async Task Stream(VideoGenerator generator, VideoRequest request)
    {
        await foreach (VideoFrame frame in generator.StreamAsync(request))
            Console.WriteLine($"frame {frame.Index} at {frame.Timestamp}: {frame.Rgb.Length} bytes");
    }

    public static void Limits()
    {
        ModelLimits limits = VideoGenerator.ReadLimits("models/pocket");
        Console.WriteLine($"sizes in steps of {limits.SpatialStride} pixels, {limits.TemporalStride}n + 1 frames");
    }
}
