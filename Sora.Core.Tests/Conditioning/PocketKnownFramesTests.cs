using Sora.Frames;
using Sora.Tests.Generation;
using Xunit;

namespace Sora.Tests.Conditioning;

/// <summary>Known frames in videos of the model that the repository brings, as pixels.</summary>
public sealed class PocketKnownFramesTests
{
    private static readonly VideoRequest Fish = new("A red fish swims left in the deep sea") { Seed = 1 };

    [Theory]
    [InlineData(0)]
    [InlineData(8)]
    [InlineData(16)]
    public async Task AKnownFrameIsSeenAtItsPlaceBesidesTheAutoencodersLoss(int index)
    {
        using VideoGenerator generator = await VideoGenerator.LoadAsync(PocketModel.Folder, new() { Device = "cpu", Threads = 1 });
        await using GeneratedVideo other = await generator.GenerateAsync(Fish);
        VideoFrame known = other.Frames[index];
        // A source at strength 0 is the autoencoder alone.
        await using GeneratedVideo encoded = await generator.GenerateAsync(Fish with { Source = [.. other.Frames], Strength = 0 });
        await using GeneratedVideo video = await generator.GenerateAsync(Fish with { Seed = 5, KnownFrames = [new(index, known)] });
        // The same noise when it is not told. (The video's other end is no measure: one frame and a motion say where that is.)
        await using GeneratedVideo untold = await generator.GenerateAsync(Fish with { Seed = 5 });
        double unseen = Psnr(untold.Frames[index], other.Frames[index]);
        double held = Psnr(video.Frames[index], encoded.Frames[index]);
        Assert.True(held >= 30, $"{held:F1} dB from what the autoencoder makes of frame {index}, {unseen:F1} dB when it is not known");
        Assert.True(held >= unseen + 5, $"{held:F1} dB at frame {index} and {unseen:F1} dB when it is not known");
    }

    private static double Psnr(VideoFrame a, VideoFrame b)
    {
        double error = a.Rgb.ToArray().Zip(b.Rgb.ToArray(), (x, y) => (double)(x - y) * (x - y)).Average();
        return 10 * Math.Log10(255 * 255 / error);
    }
}
