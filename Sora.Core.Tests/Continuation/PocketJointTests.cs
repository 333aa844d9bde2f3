using Sora.Continuation;
using Sora.Frames;
using Sora.Tests.Generation;
using Xunit;

namespace Sora.Tests.Continuation;

/// <summary>Joints in videos of the model that the repository brings: no larger than what moves in the video anyway.</summary>
public sealed class PocketJointTests
{
    private static readonly VideoRequest Fish = new("A red fish swims left in the deep sea") { Seed = 3 };

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

    [Theory]
    [InlineData("a red fish swims in circles in the deep sea", 1)]
    [InlineData("a yellow ball bounces on the beach", 2)]
    public async Task ALoopEndsWhereItBegins(string prompt, long seed)
    {
        using VideoGenerator generator = await LoadAsync();
        await using GeneratedVideo video = await generator.GenerateAsync(new VideoRequest(prompt) { Seed = seed, Loop = true });
        double[] steps = Steps(video.Frames);
        double joint = Step(video.Frames[^1], video.Frames[0]);
        Assert.True(joint <= steps.Min(), $"{joint:F2} from the last frame to the first, {steps.Min():F2} at least inside");
        // The loop is turned so that this is so. Where the decoder began is no jump either: it would stand out among all steps.
        double[] falling = [.. steps.Append(joint).OrderDescending()];
        Assert.True(falling[0] <= 1.3 * falling[1], $"{falling[0]:F2} is the largest step, {falling[1]:F2} the next");
    }

    private static Task<VideoGenerator> LoadAsync() =>
        VideoGenerator.LoadAsync(PocketModel.Folder, new() { Device = "cpu", Threads = 1 });

    private static double[] Steps(IReadOnlyList<VideoFrame> frames) => [.. frames.Zip(frames.Skip(1), Step)];

    private static double Step(VideoFrame a, VideoFrame b) => a.Rgb.ToArray().Zip(b.Rgb.ToArray(), (x, y) => Math.Abs(x - y)).Average();
}
