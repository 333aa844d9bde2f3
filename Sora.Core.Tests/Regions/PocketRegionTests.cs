using Sora.Frames;
using Sora.Regions;
using Sora.Tests.Generation;
using Xunit;

namespace Sora.Tests.Regions;

/// <summary>Regions of videos of the model that the repository brings: changed as the prompt says, and without a visible joint.</summary>
public sealed class PocketRegionTests
{
    private static readonly VideoRequest Fish = new("A red fish swims left in the deep sea") { Seed = 3, FrameCount = 5 };

    [Fact]
    public async Task ARegionIsChangedWithoutAVisibleJoint()
    {
        using VideoGenerator generator = await LoadAsync();
        await using GeneratedVideo video = await generator.GenerateAsync(Fish);
        FrameMask right = TestMasks.Rectangle(32, 0, 64, 64, 64, 64);
        VideoRequest edit = Fish with { Prompt = "A green ball rests in the deep sea", Seed = 5, FrameCount = null, Source = [.. video.Frames], Mask = [right] };
        await using GeneratedVideo edited = await generator.GenerateAsync(edit);
        Assert.Equal(TestMasks.Pixels(video.Frames, [right], kept: true), TestMasks.Pixels(edited.Frames, [right], kept: true));
        RequireNoJoint(edited.Frames, 32);
        // Without the feather it is there.
        await using GeneratedVideo cut = await generator.GenerateAsync(edit with { Feather = 0 });
        Assert.True(Joint(cut.Frames, 32) > 1.5 * Joint(edited.Frames, 32), $"{Joint(cut.Frames, 32):F2} without a feather, {Joint(edited.Frames, 32):F2} with it");
    }

    [Fact]
    public async Task ACanvasGrowsWithoutAVisibleJoint()
    {
        using VideoGenerator generator = await LoadAsync();
        await using GeneratedVideo video = await generator.GenerateAsync(Fish);
        var wide = new VideoOutpainting([.. video.Frames], 96, 64) { Position = CanvasPosition.Left };
        List<VideoFrame> frames = await wide.StreamAsync(generator, Fish with { FrameCount = null }).ToListAsync();
        RequireNoJoint(frames, 64);
    }

    // From the column before the joint to the one after it no more changes than between neighbouring columns elsewhere.
    private static void RequireNoJoint(IReadOnlyList<VideoFrame> frames, int column)
    {
        double[] steps = [.. Enumerable.Range(1, frames[0].Width - 1).Select(x => frames.Average(frame => Step(frame, x)))];
        double joint = steps[column - 1], inside = steps.Where((_, i) => i != column - 1).Max();
        Assert.True(joint <= inside, $"{joint:F2} at the joint, {inside:F2} at most elsewhere");
    }

    private static double Joint(IReadOnlyList<VideoFrame> frames, int column) => frames.Average(frame => Step(frame, column));

    private static double Step(VideoFrame frame, int x)
    {
        double sum = 0;
        for (int y = 0; y < frame.Height; y++)
        {
            int i = 3 * ((y * frame.Width) + x);
            for (int c = 0; c < 3; c++)
                sum += Math.Abs(frame.Rgb.Span[i + c] - frame.Rgb.Span[i + c - 3]);
        }
        return sum / (3 * frame.Height);
    }

    private static Task<VideoGenerator> LoadAsync() =>
        VideoGenerator.LoadAsync(PocketModel.Folder, new() { Device = "cpu", Threads = 1 });
}
