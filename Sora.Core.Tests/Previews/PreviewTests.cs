using Sora.Conditioning;
using Sora.Frames;
using Sora.Tests.Engine;
using Sora.Tests.Generation;
using Xunit;

namespace Sora.Tests.Previews;

/// <summary>Pictures of a video while it is made.</summary>
[Collection(LiveTensors.Name)]
public class PreviewTests
{
    private static readonly VideoRequest Fish = new("a red fish swims left") { Seed = 42, Steps = 5, FrameCount = 9 };

    [Fact]
    public async Task EveryFewStepsTheProgressCarriesAPictureAndTheVideoIsTheSame()
    {
        using VideoGenerator generator = await LoadAsync(TinyModel.Folder, every: 2), plain = await TinyModel.LoadAsync();
        var reports = new List<GenerationProgress>();
        await using GeneratedVideo video = await generator.GenerateAsync(Fish, new ProgressLog(reports.Add));
        Assert.Equal([2, 4], reports.Where(report => report.Previews.Count > 0).Select(report => report.Step));
        Assert.All(reports.Where(report => report.Previews.Count > 0), report =>
        {
            Assert.Equal(GenerationStage.Denoising, report.Stage);
            VideoFrame preview = Assert.Single(report.Previews);
            // Four channels tell the colour of a point and no more.
            Assert.Equal((4, 4), (preview.Width, preview.Height));
        });
        reports.Clear();
        Assert.Equal(Pixels.Of(video.Frames), await Pixels.OfAsync(plain, Fish));
        await plain.GenerateAsync(Fish, new ProgressLog(reports.Add));
        Assert.All(reports, report => Assert.Empty(report.Previews));
        Assert.Equal("PreviewEvery 0 is out of range; allowed: 1 to 1000, nearest: 1.", Assert.Throws<SoraException>(() => new VideoGeneratorOptions { PreviewEvery = 0 }).Message);
    }

    [Fact]
    public async Task ABatchHasAPictureOfEachVideo()
    {
        using VideoGenerator generator = await LoadAsync(TinyModel.Folder, every: 1);
        await generator.GenerateAsync(Fish);
        var reports = new List<GenerationProgress>();
        var start = new Footprint();
        await generator.GenerateAsync([Fish, Fish with { Width = 64, Height = 16 }, Fish with { Seed = 43, Loop = true }], new ProgressLog(reports.Add));
        start.RequireUnchanged();
        Assert.Equal(5, reports.Count(report => report.Previews.Count > 0));
        IReadOnlyList<VideoFrame> last = reports.Last(report => report.Previews.Count > 0).Previews;
        Assert.Equal([(4, 4), (8, 2), (4, 4)], last.Select(preview => (preview.Width, preview.Height)));
        Assert.NotEqual(last[0].Rgb.ToArray(), last[2].Rgb.ToArray());
    }

    [Fact]
    public async Task TheLastPictureOfThePocketModelIsNearTheVideo()
    {
        using VideoGenerator generator = await LoadAsync(PocketModel.Folder, every: 1);
        var previews = new List<VideoFrame>();
        VideoRequest request = new("a red fish swims left in the deep sea") { Seed = 1, FrameCount = 9 };
        await using GeneratedVideo video = await generator.GenerateAsync(request, new ProgressLog(report => previews.AddRange(report.Previews)));
        Assert.Equal(4, previews.Count);
        // The middle latent frame, the second of three, stands for the frames 1 to 4.
        byte[][] middle = [.. video.Frames.Skip(1).Take(4).Select(frame => frame.Rgb.ToArray())];
        double Difference(VideoFrame preview)
        {
            Assert.Equal((32, 32), (preview.Width, preview.Height));
            double sum = 0;
            for (int i = 0; i < 32 * 32 * 3; i++)
            {
                int x = i / 3 % 32, y = i / 3 / 32;
                double mean = middle.Average(frame => (from dy in Enumerable.Range(0, 2) from dx in Enumerable.Range(0, 2) select (double)frame[((((2 * y) + dy) * 64) + (2 * x) + dx) * 3 + (i % 3)]).Average());
                sum += Math.Abs(mean - preview.Rgb.Span[i]);
            }
            return sum / (32 * 32 * 3);
        }
        Assert.InRange(Difference(previews[^1]), 0, 25);
        Assert.True(Difference(previews[^1]) < Difference(previews[0]));
    }

    [Fact]
    public async Task KnownFramesShowInThePicture()
    {
        using VideoGenerator generator = await LoadAsync(PocketModel.Folder, every: 1);
        VideoFrame[] known = [.. Enumerable.Repeat(Filled(250, 20, 20), 5)];
        var previews = new List<VideoFrame>();
        await generator.GenerateAsync(
            new VideoRequest("a fish") { Seed = 1, Steps = 1, FrameCount = 9, KnownFrames = [.. known.Select((frame, i) => new KnownFrame(i, frame))] },
            new ProgressLog(report => previews.AddRange(report.Previews)));
        byte[] pixels = Assert.Single(previews).Rgb.ToArray();
        Assert.InRange(pixels.Where((_, i) => i % 3 == 0).Average(red => red), 200, 255);
        Assert.InRange(pixels.Where((_, i) => i % 3 != 0).Average(other => other), 0, 70);
    }

    private static VideoFrame Filled(byte r, byte g, byte b) => new(0, 64, 64, Enumerable.Range(0, 64 * 64).SelectMany(_ => (byte[])[r, g, b]).ToArray(), TimeSpan.Zero);

    private static Task<VideoGenerator> LoadAsync(string folder, int every) =>
        VideoGenerator.LoadAsync(folder, new() { Device = "cpu", Precision = Precision.Full, Threads = 1, PreviewEvery = every });
}
