using Sora.Continuation;
using Sora.Frames;
using Sora.Tests.Generation;
using Xunit;

namespace Sora.Tests.Continuation;

/// <summary>Joints in videos of the model that the repository brings: no larger than what moves in the video anyway.</summary>
public sealed class PocketJointTests
{
    private static readonly VideoRequest Fish = new("A red fish swims left in the deep sea") { Seed = 3, Steps = 8 };

    [Fact]
    public async Task AnExtensionHasNoVisibleSeam()
    {
        using VideoGenerator generator = await LoadAsync();
        await using GeneratedVideo video = await generator.GenerateAsync(Fish);
        var extension = new VideoExtension([.. video.Frames], 8) { Direction = ExtensionDirection.Both };
        List<VideoFrame> frames = await extension.StreamAsync(generator, Fish).ToListAsync();
        double[] steps = Steps(frames);
        double inside = steps.Where((_, i) => i is not 7 and not 24).Max();
        Assert.Equal(33, frames.Count);
        Assert.True(Math.Max(steps[7], steps[24]) <= 1.5 * inside, $"{steps[7]:F2} and {steps[24]:F2} at the joints, {inside:F2} at most inside");
    }

    [Fact]
    public async Task ALoopEndsWhereItBegins()
    {
        using VideoGenerator generator = await LoadAsync();
        await using GeneratedVideo video = await generator.GenerateAsync(Fish with { Loop = true });
        double inside = Steps(video.Frames).Max(), joint = Step(video.Frames[^1], video.Frames[0]);
        Assert.True(joint <= inside, $"{joint:F2} from the last frame to the first, {inside:F2} at most inside");
    }

    private static Task<VideoGenerator> LoadAsync() =>
        VideoGenerator.LoadAsync(PocketModel.Folder, new() { Device = "cpu", Threads = 1 });

    private static double[] Steps(IReadOnlyList<VideoFrame> frames) => [.. frames.Zip(frames.Skip(1), Step)];

    private static double Step(VideoFrame a, VideoFrame b) => a.Rgb.ToArray().Zip(b.Rgb.ToArray(), (x, y) => Math.Abs(x - y)).Average();
}
