using Sora.Tests.Engine;
using Sora.Tests.Training.Data;
using Sora.Training;
using Sora.VideoVae;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Training;

/// <summary>An autoencoder with channels in its latent that it leaves alone.</summary>
[Collection(LiveTensors.Name)]
public sealed class WidenedAutoencoderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sora-wide-").FullName;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void It_encodes_and_decodes_as_before_and_leaves_its_new_channels_empty(bool linearCode)
    {
        string narrow = Path.Combine(_folder, "narrow"), wide = Directory.CreateDirectory(Path.Combine(_folder, "wide")).FullName;
        TinyVae.Write(narrow, linearCode: linearCode);
        WidenedAutoencoder.Write(narrow, wide, 3);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        using VideoAutoencoder before = Open(narrow), after = Open(wide);
        int channels = before.Config.ZDim;
        Assert.Equal(channels + 3, after.Config.ZDim);
        Assert.Equal([.. before.Config.LatentsMean, 0, 0, 0], after.Config.LatentsMean);
        Assert.Equal([.. before.Config.LatentsStd, 1, 1, 1], after.Config.LatentsStd);

        Tensor video = RandomTensor.Create(1, 1, 3, 5, 32, 32);
        LatentMoments expected = before.Encode(video), moments = after.Encode(video);
        Assert.InRange((moments.Mean.narrow(1, 0, channels) - expected.Mean).abs().max().item<float>(), 0, 1e-5);
        Assert.InRange((moments.LogVariance.narrow(1, 0, channels) - expected.LogVariance).abs().max().item<float>(), 0, 1e-5);
        Assert.Equal(0, moments.Mean.narrow(1, channels, 3).abs().max().item<float>());
        Assert.Equal(-30, moments.LogVariance.narrow(1, channels, 3).max().item<float>());

        // Whatever is drawn there.
        Tensor latent = RandomTensor.Create(2, 1, channels, 2, 4, 4), drawn = cat([latent, RandomTensor.Create(3, 1, 3, 2, 4, 4) * 9], 1);
        Assert.InRange((after.Decode(drawn) - before.Decode(latent)).abs().max().item<float>(), 0, 1e-5);
    }

    /// <summary>Deletes the folders.</summary>
    public void Dispose() => Directory.Delete(_folder, true);

    private static VideoAutoencoder Open(string folder) =>
        new(AutoencoderKLWanConfig.Load(Path.Combine(folder, "config.json")), new CheckpointParameters(folder, float32, CPU));
}
