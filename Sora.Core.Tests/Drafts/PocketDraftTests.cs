using Sora.Drafts;
using Sora.Frames;
using Sora.Tests.Generation;
using Xunit;

namespace Sora.Tests.Drafts;

/// <summary>What a refined draft of the model that the repository brings shows.</summary>
public sealed class PocketDraftTests
{
    [Fact]
    public async Task TheCompositionIsTheDrafts()
    {
        using VideoGenerator generator = await VideoGenerator.LoadAsync(PocketModel.Folder, new() { Device = "cpu", Threads = 1, FewSteps = false });
        var fish = new VideoRequest("A red fish swims left in the deep sea") { Seed = 3, Steps = 8, Width = 96, Height = 96, FrameCount = 5, Draft = 0.5 };
        await using GeneratedVideo video = await generator.GenerateAsync(fish);
        await using GeneratedVideo draft = await generator.GenerateAsync(DraftedRequest.DraftOf(fish, generator.Limits));
        await using GeneratedVideo other = await generator.GenerateAsync(DraftedRequest.DraftOf(fish with { Prompt = "A red fish swims right in the deep sea", Seed = 4 }, generator.Limits));
        Assert.Equal((48, 48), (draft.Frames[0].Width, draft.Frames[0].Height));
        double own = Correlation(video.Frames, draft.Frames), strange = Correlation(video.Frames, other.Frames);
        Assert.True(own > 0.85 && own > strange + 0.2, $"the video correlates {own:F2} with its draft and {strange:F2} with one that swims the other way");
    }

    // Of all pixels, the first scaled down to the second's size, each less its video's mean.
    private static double Correlation(IReadOnlyList<VideoFrame> video, IReadOnlyList<VideoFrame> draft)
    {
        var size = new PixelSize(draft[0].Height, draft[0].Width);
        double[] a = Centred(video.SelectMany(frame => BicubicResize.Apply(frame, size.Height, size.Width, 0, 0, size)));
        double[] b = Centred(Pixels.Of(draft));
        return Sum(a, b) / Math.Sqrt(Sum(a, a) * Sum(b, b));
    }

    // Each colour less its own mean: otherwise any two videos of a blue sea are alike.
    private static double[] Centred(IEnumerable<byte> pixels)
    {
        double[] values = [.. pixels.Select(pixel => (double)pixel)];
        double[] means = [.. Enumerable.Range(0, 3).Select(c => values.Where((_, i) => i % 3 == c).Average())];
        return [.. values.Select((value, i) => value - means[i % 3])];
    }

    private static double Sum(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();
}
