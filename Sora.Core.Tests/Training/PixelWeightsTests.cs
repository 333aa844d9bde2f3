using System.Text.Json;
using Sora.Layers;
using Sora.Tests.Engine;
using Sora.Tests.Training.Data;
using Sora.Tests.Training.SpriteWorld;
using Sora.Training;
using Sora.VideoVae;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Training;

/// <summary>A loss in which a channel counts as much as it does in the pixels.</summary>
[Collection(LiveTensors.Name)]
public sealed class PixelWeightsTests : IDisposable
{
    private const int Channels = 4;
    private readonly string _folder = Directory.CreateTempSubdirectory("sora-pixels-").FullName;

    public PixelWeightsTests() => TinyVae.Write(Path.Combine(_folder, "vae"));

    [Fact]
    public void AChannelWeighsWhatTheDecoderMakesOfIt()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        using var vae = new VideoAutoencoder(TinyTraining.Vae(_folder, 1).Vae, new FreshParameters(1, float32));
        Tensor[] latents = [RandomTensor.Create(1, 1, Channels, 2, 3, 4), RandomTensor.Create(2, 1, Channels, 1, 2, 2)];
        // The decoder reads nothing of channel 1, and twice as much of channel 2 as of 0 and 3.
        Parameter first = vae.Parameters["post_quant_conv.weight"];
        first.narrow(1, 1, 1).zero_();
        first.narrow(1, 0, 1).copy_(first.narrow(1, 2, 1));
        first.narrow(1, 3, 1).copy_(first.narrow(1, 2, 1));
        first.narrow(1, 2, 1).mul_(2);

        double[] weights = PixelWeights.Measure(vae, latents);

        Assert.Equal(Channels, weights.Length);
        Assert.Equal(1, weights.Average(), 1e-9);
        Assert.Equal([1, 2], (int[])[Array.IndexOf(weights, weights.Min()), Array.IndexOf(weights, weights.Max())]);
        Assert.All((int[])[0, 3], channel => Assert.InRange(weights[2] / weights[channel], 2, 8)); // squares, but for the decoder's bends
        // Not nothing, though: a twentieth of what an average channel has.
        Assert.InRange(weights[1] / weights.Sum() * Channels, 0.04, 0.05);
    }

    [Fact]
    public void TheLossIsTheChannelsWeightedOnes()
    {
        using DisposeScope scope = NewDisposeScope();
        double whole = Loss(LossSpace.Latents, null), even = Loss(LossSpace.Pixels, [1, 1, 1, 1]);
        Assert.Equal(whole, even, 1e-6);
        double[] channels = [.. Enumerable.Range(0, Channels).Select(channel => Loss(LossSpace.Pixels, [.. Enumerable.Range(0, Channels).Select(i => i == channel ? 1f : 0f)]))];
        Assert.All(channels, loss => Assert.InRange(loss, whole / 20, whole));
        Assert.Equal(whole, channels.Sum(), 1e-5);
        float[] weights = [0.25f, 3, 0.5f, 0.25f];
        Assert.Equal(channels.Zip(weights).Sum(pair => pair.First * pair.Second), Loss(LossSpace.Pixels, weights), 1e-5);
    }

    [Fact]
    public void DetailsCountLess()
    {
        using DisposeScope scope = NewDisposeScope();
        double[] channels = [.. Enumerable.Range(0, Channels).Select(channel => Loss(LossSpace.Pixels, [.. Enumerable.Range(0, Channels).Select(i => i == channel ? 1f : 0f)]))];
        var details = new DetailChannels { Channels = 3, Weight = 0.2 };
        Assert.Equal(channels[0] + (0.2 * channels[1..].Sum()), Loss(LossSpace.Latents, null, details), 1e-5);
        Assert.Equal((3 * channels[0]) + (0.2 * channels[2]), Loss(LossSpace.Pixels, [3, 0, 1, 0], details), 1e-5);
        // A map's channels come after them.
        Assert.Equal([1, 0.5f, 0.5f, 0.0625f], ChannelWeights.Of(4, null, new() { Channels = 2, Weight = 0.5 }, 1, 4));
        Assert.Equal("details.channels is 4, and the autoencoder has 4; allowed: 1 to 3.", Assert.Throws<SoraException>(() => Loss(LossSpace.Latents, null, new() { Channels = 4 })).Message);
        Assert.Contains("details.weight 2 is out of range", Assert.Throws<SoraException>(() => new DetailChannels { Channels = 1, Weight = 2 }).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ATrainingMeasuresItsWeightsOnceAndTellsTheWeightedError(bool packed)
    {
        FlowTrainingConfig config = Config(LossSpace.Pixels) with { Steps = 2, ValidationSteps = 2, Shapes = packed ? new() { LeastArea = 256, MostArea = 1024, LeastFrames = 5, MostFrames = 9 } : null };
        var said = new List<string>();
        Run(config);
        Run(config with { Steps = 3, ValidationSteps = 3 });

        Assert.Single(said, line => line.Contains("counts in the pixels", StringComparison.Ordinal));
        JsonElement[] validations = [.. File.ReadAllLines(Path.Combine(config.RunFolder, "metrics.jsonl")).Select(line => JsonSerializer.Deserialize<JsonElement>(line))
            .Where(row => row.TryGetProperty("validation", out _)).Select(row => row.GetProperty("validation"))];
        Assert.Equal(2, validations.Length);
        Assert.All(validations, validation =>
        {
            Assert.InRange(validation.GetProperty("pixel_loss").GetDouble(), 0.01, 10);
            Assert.NotEqual(validation.GetProperty("loss").GetDouble(), validation.GetProperty("pixel_loss").GetDouble());
        });

        void Run(FlowTrainingConfig config)
        {
            using var trainer = new FlowTrainer(config, SyntheticAtlas.FirstEdition, float32, said.Add, CancellationToken.None);
            trainer.Run(said.Add, CancellationToken.None);
        }
    }

    [Fact]
    public void WeightsOfAnotherAutoencoderAreMeasuredAgain()
    {
        FlowTrainingConfig config = Config(LossSpace.Pixels);
        Directory.CreateDirectory(config.RunFolder);
        WriteWeights(config, [1, 1, 1, 1], "another");
        var said = new List<string>();
        using (new FlowTrainer(config, SyntheticAtlas.FirstEdition, float32, said.Add, CancellationToken.None))
            Assert.Contains("measuring how much each channel of the latents counts in the pixels", said);
    }

    public void Dispose() => Directory.Delete(_folder, true);

    private FlowTrainingConfig Config(LossSpace space) => TinyTraining.Flow(_folder, 2) with
    {
        LossSpace = space,
        // Patches of several points, of which each has its channels' weights.
        Transformer = TinyTraining.Flow(_folder, 2).Transformer with { PatchSize = [1, 2, 2] },
    };

    private double Loss(LossSpace space, float[]? weights, DetailChannels? details = null)
    {
        FlowTrainingConfig config = Config(space) with { Details = details };
        Directory.CreateDirectory(config.RunFolder);
        if (weights is not null)
            WriteWeights(config, weights, ModelFingerprint.OfComponent(config.VaeFolder));
        using var trainer = new FlowTrainer(config, SyntheticAtlas.FirstEdition, float32, _ => { }, CancellationToken.None);
        using Tensor loss = ((ITrainingTask)trainer).Loss(3);
        return loss.item<float>();
    }

    private static void WriteWeights(FlowTrainingConfig config, float[] weights, string autoencoder)
    {
        using Tensor kept = tensor(weights);
        TrainingState.Save(Path.Combine(config.RunFolder, "pixel-weights.safetensors"), [("weights", kept)], new Dictionary<string, string> { ["autoencoder"] = autoencoder });
    }
}
