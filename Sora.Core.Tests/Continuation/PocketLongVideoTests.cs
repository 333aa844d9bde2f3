using Sora.Frames;
using Sora.Tests.Generation;
using Xunit;

namespace Sora.Tests.Continuation;

/// <summary>Long videos of the model that the repository brings: no seams, and each prompt where it was put.</summary>
public sealed class PocketLongVideoTests
{
    [Fact]
    public async Task WindowsHaveNoVisibleSeam()
    {
        using VideoGenerator generator = await LoadAsync();
        var request = new VideoRequest("A red fish swims left in the deep sea") { Seed = 3, FrameCount = 41, WindowFrames = 17 };
        List<VideoFrame> frames = await generator.StreamAsync(request).ToListAsync();
        double[] steps = [.. frames.Zip(frames.Skip(1), (a, b) => a.Rgb.ToArray().Zip(b.Rgb.ToArray(), (x, y) => Math.Abs(x - y)).Average())];
        int[] joints = [16, 24, 32]; // to the first frame of a window
        double atJoints = joints.Max(joint => steps[joint]), inside = steps.Where((_, i) => !joints.Contains(i)).Max();
        Assert.Equal(41, frames.Count);
        Assert.True(atJoints <= 1.5 * inside, $"{atJoints:F2} at most at the joints, {inside:F2} inside");
        // The colours of the scene stay: the last frame's top row is the first one's.
        double[] top = [.. new[] { frames[0], frames[^1] }.Select(frame => frame.Rgb.ToArray().Take(3 * 64).Average(value => value))];
        Assert.InRange(top[1], top[0] - 15, top[0] + 15);
    }

    [Fact]
    public async Task EachPromptIsFollowedFromWhereItWasPut()
    {
        using VideoGenerator generator = await LoadAsync();
        var request = new VideoRequest("A red fish swims left in the deep sea")
        {
            Seed = 3,
            FrameCount = 33,
            LaterPrompts = [new(13, "A blue fish swims right in the deep sea"), new(26, "A red dog walks right on the meadow") { Cut = true }],
        };
        await using GeneratedVideo video = await generator.GenerateAsync(request);
        for (int i = 0; i < 33; i++)
        {
            (int red, int blue, int green) = Colours(video.Frames[i]);
            string found = $"frame {i}: {red} red, {blue} blue, {green} green pixels";
            if (i < 13)
                Assert.True(red > 50 && blue == 0, found);
            else if (i is >= 18 and < 26) // the one fish becomes the other within two latent frames
                Assert.True((blue > 50 || i < 22) && red < 20, found);
            // The sea has no green; the meadow is there from the frame of the cut on.
            Assert.True(i < 26 ? green < 50 : green > 400, found);
        }
    }

    // Pixels of a red or a blue subject, and of a meadow.
    private static (int Red, int Blue, int Green) Colours(VideoFrame frame)
    {
        (byte R, byte G, byte B)[] pixels = [.. frame.Rgb.ToArray().Chunk(3).Select(pixel => (pixel[0], pixel[1], pixel[2]))];
        return (pixels.Count(p => p.R > p.B + 60), pixels.Count(p => p.B > 200 && p.G < 150), pixels.Count(p => p.G > p.R + 40 && p.G > p.B + 40));
    }

    private static Task<VideoGenerator> LoadAsync() =>
        VideoGenerator.LoadAsync(PocketModel.Folder, new() { Device = "cpu", Threads = 1 });
}
