using Sora.Conditioning;
using Sora.Frames;
using Sora.Latents;
using Sora.Tests.Generation;
using Sora.VideoVae;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Conditioning;

/// <summary>The rule of <see cref="KnownFrame"/>, by the latents that come of it.</summary>
public sealed class KnownFrameLatentsTests : IDisposable
{
    private static readonly LatentShape Shape = new(4, 5, 4, 4); // 17 frames of 32x32

    private readonly IDisposable _noGradients = no_grad();
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly VideoAutoencoder _vae = new(TinyModel.Vae, new CheckpointParameters(Path.Combine(TinyModel.Folder, "vae"), float32, CPU));
    private readonly LatentNormalizer _normalizer = new(TinyModel.Vae, CPU);

    private FrameEncoder Encoder => new(_vae, _normalizer, CPU);

    public void Dispose()
    {
        _scope.Dispose();
        _normalizer.Dispose();
        _vae.Dispose();
        _noGradients.Dispose();
    }

    [Theory]
    [InlineData(new[] { 0 }, "10000")]
    [InlineData(new[] { 16 }, "00001")]
    [InlineData(new[] { 13 }, "00001")]
    [InlineData(new[] { 12 }, "00010")]
    [InlineData(new[] { 1, 16, 0 }, "11001")]
    [InlineData(new[] { 0, 1, 2, 3, 4, 5, 6, 7, 8 }, "11100")]
    public void ALatentFrameIsKnownWhenOneOfItsFramesIs(int[] places, string expected)
    {
        using KnownLatents known = Encode([.. places.Select(i => new KnownFrame(i, TestFrames.Create(i)))]);
        Assert.Equal(expected, string.Concat(known.IsKnown.Select(k => k ? '1' : '0')));
    }

    [Fact]
    public void TheBeginningOfAVideoHasItsLatents()
    {
        IReadOnlyList<VideoFrame> video = TestFrames.Video(17);
        using KnownLatents known = Encode([.. video.Take(9).Select((frame, i) => new KnownFrame(i, frame))]);
        Close(Encoder.Encode(video, 32, 32).narrow(2, 0, 3), known.Latents.narrow(2, 0, 3), 1e-5f);
    }

    [Fact]
    public void APictureFurtherOnStandsForItsFourFrames()
    {
        using KnownLatents one = Encode([new(10, TestFrames.Create(3))]);
        using KnownLatents four = Encode([.. Enumerable.Range(9, 4).Select(i => new KnownFrame(i, TestFrames.Create(3)))]);
        Close(four.Latents, one.Latents, 0);
        // And not for frames that are given.
        using KnownLatents moving = Encode([.. Enumerable.Range(9, 4).Select(i => new KnownFrame(i, TestFrames.Create(i)))]);
        Assert.True((moving.Latents - one.Latents).abs().max().item<float>() > 0.01f);
    }

    [Theory]
    [InlineData(new[] { 16 })]
    [InlineData(new[] { 7, 0 })]
    [InlineData(new[] { 3, 12 })]
    public void APictureHasTheLatentsOfItsPlace(int[] places)
    {
        VideoFrame picture = TestFrames.Create(3);
        Tensor still = Encoder.Encode([.. Enumerable.Repeat(picture, 17)], 32, 32);
        using KnownLatents known = Encode([.. places.Select(i => new KnownFrame(i, picture))]);
        for (int t = 0; t < Shape.T; t++)
        {
            if (known.IsKnown[t])
                Close(still.narrow(2, t, 1), known.Latents.narrow(2, t, 1), 1e-5f);
        }
    }

    private KnownLatents Encode(ValueList<KnownFrame> known) => KnownFrameLatents.Encode(known, Shape, 4, Encoder, CPU);

    private static void Close(Tensor expected, Tensor actual, float tolerance) =>
        Assert.InRange((expected - actual).abs().max().item<float>(), 0, tolerance);
}
