using System.Text.Json.Nodes;
using Sora.Frames;
using Sora.Tests.Conditioning;
using Sora.Tests.Engine;
using Sora.Tests.Weights;
using Xunit;

namespace Sora.Tests.Generation;

/// <summary>Step cache and tiles in whole generations.</summary>
[Collection(LiveTensors.Name)]
public sealed class SpeedOptionTests : IDisposable
{
    private static readonly VideoRequest Fish = new("a red fish swims left") { Seed = 42, Steps = 6, GuidanceScale = 4 };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task TheStepCacheHasAStateForEachExpertAndEachLayoutOfBranches()
    {
        TinyModel.Create(_folder.Path, twoExperts: true);
        using VideoGenerator generator = await TinyModel.LoadAsync(_folder.Path);
        VideoRequest known = Fish with { KnownFrames = [new(0, TestFrames.Create(1))], GuidanceInterval = new SigmaInterval(0, 0.99f) };
        byte[] expected = await Pixels.OfAsync(generator, known);
        var start = new Footprint();
        // Nothing changes so little: every block is computed at every step.
        await using (GeneratedVideo none = await generator.GenerateAsync(known with { StepCache = 1e-9 }))
        {
            Assert.Equal(expected, Pixels.Of(none.Frames));
            Assert.Contains("at 0 of 6 evaluations", Assert.Single(none.Notes), StringComparison.Ordinal);
        }
        // Everything changes less than that: the first evaluation without guidance, the first with it, and the second expert's first are computed.
        await using (GeneratedVideo most = await generator.GenerateAsync(known with { StepCache = 1 }))
        {
            Assert.NotEqual(expected, Pixels.Of(most.Frames));
            Assert.Contains("at 3 of 6 evaluations", Assert.Single(most.Notes), StringComparison.Ordinal);
        }
        start.RequireUnchanged();
    }

    [Fact]
    public async Task TheRecordTellsTheStepCacheAndRepeatsIt()
    {
        using VideoGenerator generator = await TinyModel.LoadAsync();
        await using GeneratedVideo video = await generator.GenerateAsync(Fish with { StepCache = 0.75 });
        string file = Path.Combine(_folder.Path, "fish.gif");
        await video.SaveAsync(file);
        GenerationRecord record = GenerationRecord.Read(file)!;
        Assert.Equal(0.75, record.Request.StepCache);
        Assert.Null(record.VaeTileSize);
        Assert.Equal(Pixels.Of(video.Frames), await Pixels.OfAsync(generator, record.Request));
        await using GeneratedVideo plain = await generator.GenerateAsync(Fish);
        Assert.DoesNotContain("step_cache", plain.Record.ToJson(), StringComparison.Ordinal);
        Assert.Empty(plain.Notes);
    }

    [Theory]
    [InlineData(-0.1, "StepCache -0.1 is out of range; allowed: 0 to 1, nearest: 0.")]
    [InlineData(1.5, "StepCache 1.5 is out of range; allowed: 0 to 1, nearest: 1.")]
    public void AThresholdOutOfRangeIsRefused(double threshold, string message) =>
        Assert.Equal(message, Assert.Throws<SoraException>(() => Fish with { StepCache = threshold }).Message);

    [Fact]
    public async Task APictureThatDoesNotFitIsDecodedInTilesAndRepeated()
    {
        VideoRequest large = Fish with { Width = 192, Height = 128, Steps = 1 };
        long whole, tiled;
        byte[] expected;
        using (VideoGenerator any = await LoadAsync(new()))
        {
            GenerationEstimate estimate = any.Estimate(large);
            Assert.Equal(1, estimate.VaeTiles);
            whole = estimate.PeakMemory;
            expected = await Pixels.OfAsync(any, large);
        }
        using (VideoGenerator smallest = await LoadAsync(new() { VaeTileSize = 128 }))
        {
            GenerationEstimate estimate = smallest.Estimate(large);
            Assert.Equal(2, estimate.VaeTiles);
            tiled = estimate.PeakMemory;
            Assert.True(tiled < whole);
        }
        GenerationRecord record;
        byte[] pixels;
        var start = new Footprint();
        using (VideoGenerator limited = await LoadAsync(new() { MemoryLimit = (whole + tiled) / 2 }))
        {
            GenerationEstimate estimate = limited.Estimate(large);
            Assert.True(estimate.Fits);
            Assert.Equal(2, estimate.VaeTiles);
            // Given frames are encoded in tiles as well.
            await using GeneratedVideo edited = await limited.GenerateAsync(large with { Source = [.. Enumerable.Range(0, 5).Select(i => TestFrames.Create(i, 192, 128))], Strength = 0 });
            Assert.Contains($"worked in {estimate.VaeTiles} overlapping tiles", Assert.Single(edited.Notes), StringComparison.Ordinal);
            await using GeneratedVideo video = await limited.GenerateAsync(large);
            (record, pixels) = (video.Record, Pixels.Of(video.Frames));
        }
        start.RequireUnchanged(TinyModel.Folder);
        using VideoGenerator same = await LoadAsync(new() { VaeTileSize = record.VaeTileSize }), never = await LoadAsync(new() { VaeTileSize = 0, MemoryLimit = (whole + tiled) / 2 });
        Assert.Equal(pixels, await Pixels.OfAsync(same, large));
        Assert.InRange(expected.Zip(pixels, (a, b) => Math.Abs(a - b)).Max(), 0, 1);
        await Assert.ThrowsAsync<SoraException>(() => never.GenerateAsync(large));
    }

    [Fact]
    public async Task EachVideoOfABatchHasItsOwnTiles()
    {
        using VideoGenerator generator = await LoadAsync(new() { VaeTileSize = 128 });
        VideoRequest[] requests = [Fish with { Width = 192, Height = 32, FrameCount = 1, Steps = 1 }, Fish with { FrameCount = 1, Steps = 1 }];
        Assert.Single(generator.Batches(requests));
        IReadOnlyList<GeneratedVideo> videos = await generator.GenerateAsync(requests);
        Assert.Equal([128, null], videos.Select(video => video.Record.VaeTileSize));
        Assert.Equal([1, 0], videos.Select(video => video.Notes.Count));
        for (int i = 0; i < requests.Length; i++)
            Assert.InRange((await Pixels.OfAsync(generator, requests[i])).Zip(Pixels.Of(videos[i].Frames), (a, b) => Math.Abs(a - b)).Max(), 0, 1);
    }

    [Fact]
    public async Task AVideoWithAStepCacheRunsAlone()
    {
        using VideoGenerator generator = await LoadAsync(new());
        VideoRequest cached = Fish with { FrameCount = 1, StepCache = 0.1 }, plain = cached with { StepCache = 0 };
        Assert.Equal([1, 2, 1], generator.Batches([cached, plain, cached with { Seed = 9 }, plain with { Seed = 9 }]).Select(batch => batch.Count));
    }

    [Fact]
    public async Task ARecordThatSomebodyChangedIsRefusedByItsName()
    {
        using VideoGenerator generator = await LoadAsync(new());
        string file = _folder.File("a.png"), changed = _folder.File("b.png");
        await using (GeneratedVideo video = await generator.GenerateAsync(Fish with { FrameCount = 1, Steps = 1 }))
            await video.SaveAsync(file);
        string record = GenerationRecord.Read(file)!.ToJson();
        foreach (string comment in (string[])[Changed("prompt", "null"), Changed("later_prompts", "[null]"), Changed("loras", "[null]"), record[..^1]])
        {
            File.Copy(file, changed, overwrite: true);
            PngComment.Write(changed, comment); // before the one that is there
            Assert.Contains($"The record of '{changed}' cannot be read: ", Assert.Throws<SoraException>(() => GenerationRecord.Read(changed)).Message, StringComparison.Ordinal);
        }

        string Changed(string field, string value)
        {
            JsonObject json = JsonNode.Parse(record)!.AsObject();
            json[field] = JsonNode.Parse(value);
            return json.ToJsonString();
        }
    }

    [Fact]
    public async Task TilesTooSmallForTheModelAreRefused()
    {
        SoraException failure = await Assert.ThrowsAsync<SoraException>(() => LoadAsync(new() { VaeTileSize = 100 }));
        Assert.Equal("VaeTileSize 100 is too small for this model; allowed: 0 (no tiles), or 128 and more, nearest: 128.", failure.Message);
    }

    private static Task<VideoGenerator> LoadAsync(VideoGeneratorOptions options) =>
        VideoGenerator.LoadAsync(TinyModel.Folder, options with { Device = "cpu", Precision = Precision.Full, Threads = 1 });
}
