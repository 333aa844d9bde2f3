using System.Text.Json;
using Sora.Frames;
using Sora.Layers;
using Sora.Tests.Engine;
using Sora.Tests.Training.SpriteWorld;
using Sora.Training;
using Sora.VideoVae;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Training;

/// <summary>What a training of the transformer shows besides its weights; on an autoencoder of random weights.</summary>
[Collection(LiveTensors.Name)]
public sealed class FlowTrainingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sora-flow-").FullName;

    public FlowTrainingTests()
    {
        VaeTrainingConfig config = TinyTraining.Vae(_folder, 1);
        using var source = new FreshParameters(3, float32);
        using var vae = new VideoAutoencoder(config.Vae, source);
        Directory.CreateDirectory(config.OutputFolder);
        SafetensorsWriter.Write(Path.Combine(config.OutputFolder, "diffusion_pytorch_model.safetensors"), vae.Parameters.Select(p => TrainingState.ContentOf(p.Key, p.Value, bfloat16)));
        config.Vae.Save(Path.Combine(config.OutputFolder, "config.json"));
    }

    [Fact]
    public void ValidatesAtFixedNoiseLevelsAndShowsSamples()
    {
        FlowTrainingConfig config = TinyTraining.Flow(_folder, 4) with
        {
            ValidationSteps = 2, ValidationClips = 10, SampleCheckpoints = 1, SamplePrompts = ["a red ball rises", "a dog"], SampleSteps = 1,
        };
        using (var trainer = new FlowTrainer(config, SyntheticAtlas.FirstEdition, float32, _ => { }, CancellationToken.None))
            trainer.Run(_ => { }, CancellationToken.None);

        JsonElement[] rows = [.. File.ReadAllLines(Path.Combine(config.RunFolder, "metrics.jsonl")).Select(line => JsonSerializer.Deserialize<JsonElement>(line))];
        JsonElement[] validations = [.. rows.Where(r => r.TryGetProperty("validation", out _)).Select(r => r.GetProperty("validation"))];
        Assert.Equal(2, validations.Length);
        foreach (JsonElement validation in validations)
        {
            double[] levels = [.. Enumerable.Range(1, 9).Select(i => validation.GetProperty($"loss_sigma_0.{i}").GetDouble())];
            Assert.All(levels, loss => Assert.InRange(loss, 0.01, 10));
            Assert.Equal(levels.Average(), validation.GetProperty("loss").GetDouble(), 6);
        }

        string sheet = Path.Combine(config.RunFolder, "samples", "step-00000004.png");
        VideoFrame picture = ImageReader.Read(sheet);
        // Two rows of six frames, 32 by 32, two pixels apart.
        Assert.Equal(((6 * 34) - 2, (2 * 34) - 2), (picture.Width, picture.Height));
    }

    // Of a network that predicts nothing, since a fresh one does: the mean square of noise − data, at every level the same.
    [Fact]
    public void AFreshNetworksErrorIsThatOfPredictingNothing()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor latents = RandomTensor.Create(5, 11, 4, 3, 4, 4) * 2;
        string[] captions = [.. Enumerable.Range(0, 11).Select(i => $"{i}")];
        var asked = new List<string>();
        IReadOnlyList<(string Name, double Value)> errors = new FlowValidation(latents, captions, 1).Run((x, levels, texts) =>
        {
            Assert.Equal(x.size(0) * 3, levels.Length);
            asked.AddRange(texts);
            return zeros(x.shape);
        });
        Assert.Equal(10, errors.Count);
        Assert.All(errors, e => Assert.InRange(e.Value, 4.5, 5.5)); // 2² + 1²
        Assert.All(errors, e => Assert.Equal(errors[0].Value, e.Value, 1e-6));
        Assert.Equal(9 * 11, asked.Count);

        // And of one that knows the velocity, nothing: x − σ·v is data whatever σ.
        Tensor first = latents.narrow(0, 0, 2);
        IReadOnlyList<(string Name, double Value)> exact = new FlowValidation(first, captions[..2], 1).Run((x, levels, _) => (x - first) / levels[0]);
        Assert.All(exact, e => Assert.InRange(e.Value, 0, 1e-8));
    }

    [Fact]
    public void ActivationCheckpointingTrainsTheSameWeights()
    {
        Dictionary<string, float[]> plain = Train("plain", false), checkpointed = Train("checkpointed", true);
        Assert.Equal(plain.Count, checkpointed.Count);
        foreach ((string name, float[] values) in plain)
            Assert.All(values.Zip(checkpointed[name]), pair => Assert.Equal(pair.First, pair.Second, 2e-3f));

        Dictionary<string, float[]> Train(string run, bool activationCheckpointing)
        {
            FlowTrainingConfig config = TinyTraining.Flow(_folder, 3) with
            {
                RunFolder = Path.Combine(_folder, run), OutputFolder = Path.Combine(_folder, run, "model"), ActivationCheckpointing = activationCheckpointing, ValidationSteps = 0,
            };
            using var trainer = new FlowTrainer(config, SyntheticAtlas.FirstEdition, float32, _ => { }, CancellationToken.None);
            trainer.Run(_ => { }, CancellationToken.None);
            return trainer.Parameters.ToDictionary(p => p.Key, p => p.Value.data<float>().ToArray());
        }
    }

    [Fact]
    public void SamplesWithoutPromptsAreRefused()
    {
        FlowTrainingConfig config = TinyTraining.Flow(_folder, 3) with { SampleCheckpoints = 2 };
        var exception = Assert.Throws<SoraException>(() => new FlowTrainer(config, SyntheticAtlas.FirstEdition, float32, _ => { }, CancellationToken.None));
        Assert.Equal("sample_checkpoints 2 needs sample_prompts, which is empty.", exception.Message);
    }

    public void Dispose() => Directory.Delete(_folder, true);
}
