using Sora.Frames;
using Sora.Tests.Conditioning;
using Sora.Tests.Engine;
using Sora.Tests.Regions;
using Sora.Tests.Weights;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Generation;

/// <summary>A region of a video made anew, under each way that a model takes it.</summary>
[Collection(LiveTensors.Name)]
public sealed class MaskedGenerationTests : IDisposable
{
    private static readonly ValueList<VideoFrame> Video = [.. TestFrames.Video(5)];
    private static readonly FrameMask Square = TestMasks.Rectangle(10, 6, 25, 32);
    private static readonly VideoRequest Edit = new("a blue cat") { Seed = 42, Steps = 2, Source = Video, Mask = [Square] };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("replacement")]
    [InlineData("time")]
    [InlineData("channels")]
    public async Task OutsideTheMaskNothingChangesAndInsideAllDoes(string kind)
    {
        using VideoGenerator generator = await LoadAsync(kind);
        VideoRequest edit = For(kind, Edit);
        await using GeneratedVideo made = await generator.GenerateAsync(edit);
        Assert.Equal(Kept(Video, edit.Mask!), Kept(made.Frames, edit.Mask!));
        byte[] inside = Changed(made.Frames, edit.Mask!);
        Assert.True(Share(Changed(Video, edit.Mask!), inside) > 0.9);
        // By the prompt, the seed and the strength; and as frames come.
        Assert.NotEqual(inside, Changed((await generator.GenerateAsync(edit with { Seed = 43 })).Frames, edit.Mask!));
        Assert.NotEqual(inside, Changed((await generator.GenerateAsync(edit with { Prompt = "a fish" })).Frames, edit.Mask!));
        Assert.NotEqual(inside, Changed((await generator.GenerateAsync(edit with { Strength = 0.5 })).Frames, edit.Mask!));
        Assert.Equal(Pixels.Of(made.Frames), Pixels.Of(await generator.StreamAsync(edit).ToListAsync()));
    }

    [Theory]
    [InlineData("replacement")]
    [InlineData("time")]
    public async Task WhatIsMadeTakesNoticeOfWhatIsKept(string kind)
    {
        using VideoGenerator generator = await LoadAsync(kind);
        // Far from the edge, where the joint's feather does not reach; at strength 1 nothing of the source is in the noise.
        FrameMask far = TestMasks.Rectangle(8, 24, 32, 32, 32, 32);
        VideoRequest edit = Edit with { Feather = 0, Mask = [TestMasks.Rectangle(0, 8, 32, 32)] };
        VideoFrame[] other = [.. Video.Select((frame, i) => Mixed(TestFrames.Create(i + 9), frame))];
        await using GeneratedVideo first = await generator.GenerateAsync(edit), second = await generator.GenerateAsync(edit with { Source = [.. other] });
        Assert.NotEqual(Changed(first.Frames, [far]), Changed(second.Frames, [far]));

        // The source's eight upper rows are another one's.
        VideoFrame Mixed(VideoFrame top, VideoFrame rest) => new(0, 32, 32, (byte[])[.. top.Rgb.Span[..(3 * 32 * 8)], .. rest.Rgb.Span[(3 * 32 * 8)..]], TimeSpan.Zero);
    }

    [Fact]
    public async Task AMaskForEachFrameKeepsWhatItSaysInEach()
    {
        using VideoGenerator generator = await LoadAsync("time");
        ValueList<FrameMask> moving = [.. Enumerable.Range(0, 5).Select(i => i == 3 ? new FrameMask(32, 32, new byte[1024]) : TestMasks.Rectangle(3 * i, 4, (3 * i) + 9, 17))];
        await using GeneratedVideo made = await generator.GenerateAsync(Edit with { Mask = moving });
        Assert.Equal(Kept(Video, moving), Kept(made.Frames, moving));
        Assert.Equal(Video[3].Rgb.ToArray(), made.Frames[3].Rgb.ToArray());
        Assert.True(Share(Changed(Video, moving), Changed(made.Frames, moving)) > 0.9);
    }

    [Fact]
    public async Task AWhiteMaskIsNone()
    {
        using VideoGenerator generator = await LoadAsync("time");
        VideoRequest whole = Edit with { Strength = 0.5, Mask = [TestMasks.Rectangle(0, 0, 32, 32)] };
        Assert.Equal(await Pixels.OfAsync(generator, whole with { Mask = null }), await Pixels.OfAsync(generator, whole));
    }

    [Fact]
    public async Task TheRequestIsFilledAndRecorded()
    {
        using VideoGenerator generator = await LoadAsync("time");
        VideoRequest resolved = Edit.Resolve(generator.Limits);
        Assert.Equal((1.0, 8), (resolved.Strength, resolved.Feather));
        Assert.Equal((0.8, null), ((Edit with { Mask = null }).Resolve(generator.Limits).Strength, (Edit with { Mask = null }).Resolve(generator.Limits).Feather));
        GenerationRecord record = generator.RecordOf(resolved), other = generator.RecordOf(resolved with { Mask = [TestMasks.Rectangle(0, 0, 8, 8)] });
        Assert.NotEqual(record.GivenFrames, other.GivenFrames);
        Assert.Contains("\"feather\":8", record.ToJson(), StringComparison.Ordinal);
    }

    public static TheoryData<Func<VideoRequest>, string> BadRequests => new()
    {
        { () => Edit with { Mask = [] }, "Mask has no frames; leave it null to change the whole source." },
        { () => Edit with { Source = null }, "Mask is given without a Source; it says which part of a source is changed." },
        { () => Edit with { Mask = null, Feather = 3 }, "Feather is given without a Mask; it says how wide the joint of a mask's edge is." },
        { () => Edit with { Feather = -1 }, "Feather -1 is out of range; allowed: 0 to 128, nearest: 0." },
        { () => Edit with { Mask = [Square, Square] }, "Mask has 2 frames and the video 5; allowed: 1, for all frames, or 5." },
        { () => Edit with { Mask = [TestMasks.Rectangle(0, 0, 8, 8, 48, 32)] }, "Mask has frames of 48x32 and the video is 32x32; they must be equal." },
        { () => Edit with { Mask = [new(32, 32, new byte[1024])] }, "Mask is black everywhere, so nothing would be changed; white marks what is changed." },
    };

    [Theory]
    [MemberData(nameof(BadRequests), DisableDiscoveryEnumeration = true)]
    public async Task WhatCannotBeMaskedIsRefusedBeforeWorkStarts(Func<VideoRequest> request, string message)
    {
        using VideoGenerator generator = await LoadAsync("time");
        var progress = new ProgressLog();
        SoraException failure = await Assert.ThrowsAsync<SoraException>(() => generator.GenerateAsync(request(), progress));
        Assert.StartsWith(message, failure.Message, StringComparison.Ordinal);
        Assert.Empty(progress.Steps);
    }

    [Theory]
    [InlineData("replacement")]
    [InlineData("time")]
    [InlineData("channels")]
    public async Task AMaskLeavesNothingBehind(string kind)
    {
        using VideoGenerator generator = await LoadAsync(kind);
        VideoRequest request = For(kind, Edit) with { KnownFrames = [new(0, Video[0])] };
        await Pixels.OfAsync(generator, request);
        var start = new Footprint();
        await Pixels.OfAsync(generator, request);
        using var stop = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => generator.GenerateAsync(request, ProgressLog.Cancelling(stop, GenerationStage.Denoising, 1), stop.Token));
        start.RequireUnchanged();
    }

    private static VideoRequest For(string kind, VideoRequest request) => kind == "channels" ? request with { KnownFrames = [new(0, Video[0])] } : request;

    private static byte[] Kept(IEnumerable<VideoFrame> frames, IReadOnlyList<FrameMask> mask) => TestMasks.Pixels(frames, mask, kept: true);

    private static byte[] Changed(IEnumerable<VideoFrame> frames, IReadOnlyList<FrameMask> mask) => TestMasks.Pixels(frames, mask, kept: false);

    // The share of bytes that differ.
    private static double Share(byte[] a, byte[] b) => a.Zip(b, (x, y) => x != y ? 1.0 : 0).Average();

    private Task<VideoGenerator> LoadAsync(string kind)
    {
        TinyModel.Create(
            _folder.Path,
            kind == "channels" ? TinyModel.Transformer with { InChannels = 12 } : null,
            TinyModel.Defaults with { PerTokenTime = kind == "time" });
        return TinyModel.LoadAsync(_folder.Path);
    }
}
