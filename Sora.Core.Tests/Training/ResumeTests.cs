using Sora.Tests.Engine;
using Sora.Tests.Training.SpriteWorld;
using Sora.Training;
using Sora.VideoVae;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Training;

/// <summary>A training that is interrupted and resumed ends with the same weights, bit for bit; what it writes generates.</summary>
[Collection(LiveTensors.Name)]
public sealed class ResumeTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sora-training-").FullName;

    [Fact]
    public async Task VaeAndFlow()
    {
        long before = LiveTensors.Count();
        string straight = Sub("straight"), broken = Sub("broken");
        TrainVae(straight, stopAt: null);
        TrainVae(broken, stopAt: 3);
        TrainVae(broken, stopAt: null);
        Same("vae/diffusion_pytorch_model.safetensors");

        TrainFlow(straight, stopAt: null);
        TrainFlow(broken, stopAt: 2);
        TrainFlow(broken, stopAt: null);
        Same("model/transformer/diffusion_pytorch_model.safetensors");
        Same("model/text_encoder/model.safetensors");

        using (VideoGenerator generator = await VideoGenerator.LoadAsync(Path.Combine(straight, "model")))
        using (GeneratedVideo video = await generator.GenerateAsync(new VideoRequest("a red ball rises") { Steps = 2 }))
            Assert.Equal(9, video.Frames.Count);
        Assert.Equal(before, LiveTensors.Count());

        void Same(string file) => Assert.Equal(File.ReadAllBytes(Path.Combine(straight, file)), File.ReadAllBytes(Path.Combine(broken, file)));
    }

    [Fact]
    public void AnotherTrainingsCheckpointIsRefused()
    {
        string folder = Sub("other");
        TrainVae(folder, stopAt: null);
        VaeTrainingConfig config = TinyTraining.Vae(folder, 8);
        var exception = Assert.Throws<SoraException>(() =>
            new VaeTrainer(config with { Vae = config.Vae with { BaseDim = 6 } }, SyntheticAtlas.FirstEdition, float32));
        Assert.Contains("vae.base_dim was 4 and is 6", exception.Message, StringComparison.Ordinal);
    }

    // Written before checkpoints kept their settings: names and shapes are what there is to compare.
    [Fact]
    public void ACheckpointWithoutSettingsGoesOn()
    {
        string folder = Sub("earlier");
        TrainVae(folder, stopAt: 2);
        VaeTrainingConfig config = TinyTraining.Vae(folder, 5);
        string state = Path.Combine(config.RunFolder, "vae-state.safetensors");
        using (SafetensorsFile file = SafetensorsFile.Open(state))
        {
            SafetensorsContent[] tensors = [.. file.Entries.Values.Select(e => new SafetensorsContent(e.Name, e.Type, e.Shape, file.Bytes(e).ToArray()))];
            SafetensorsWriter.Write(state, tensors, new Dictionary<string, string> { ["step"] = "2" });
        }
        var log = new List<string>();
        using (var trainer = new VaeTrainer(config, SyntheticAtlas.FirstEdition, float32))
            trainer.Run(log.Add, CancellationToken.None);
        Assert.Contains(log, line => line.Contains("does not say with which settings", StringComparison.Ordinal));
        Assert.Contains(log, line => line.Contains("goes on from the checkpoint of step 2", StringComparison.Ordinal));

        var exception = Assert.Throws<SoraException>(() =>
        {
            SafetensorsWriter.Write(state, [], new Dictionary<string, string> { ["step"] = "2" });
            new VaeTrainer(config, SyntheticAtlas.FirstEdition, float32).Dispose();
        });
        Assert.Contains("it belongs to another training", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void BeginsWithTheWeightsOfAComponent()
    {
        string first = Sub("first"), second = Sub("second");
        TrainVae(first, stopAt: null);
        VaeTrainingConfig config = TinyTraining.Vae(second, 5) with { StartFolder = Path.Combine(first, "vae") };
        using (var trainer = new VaeTrainer(config, SyntheticAtlas.FirstEdition, float32))
        using (var published = new CheckpointParameters(config.StartFolder, float32, CPU))
        using (var network = new VideoAutoencoder(config.Vae, published))
        {
            Assert.NotEmpty(network.Parameters);
            Assert.All(network.Parameters, p => Assert.Equal(0, (p.Value - trainer.Network.Parameters[p.Key]).abs().max().item<float>()));
        }

        config = config with { Vae = config.Vae with { BaseDim = 8 } };
        var exception = Assert.Throws<SoraException>(() => new VaeTrainer(config, SyntheticAtlas.FirstEdition, float32));
        Assert.Contains("the config asks for", exception.Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, true);

    private string Sub(string name) => Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;

    private static void TrainVae(string folder, long? stopAt)
    {
        using var stop = new CancellationTokenSource();
        using var trainer = new VaeTrainer(TinyTraining.Vae(folder, 5), SyntheticAtlas.FirstEdition, float32);
        trainer.StepDone = steps => StopAt(steps, stopAt, stop);
        Run(() => trainer.Run(_ => { }, stop.Token), stopAt);
    }

    private static void TrainFlow(string folder, long? stopAt)
    {
        using var stop = new CancellationTokenSource();
        using var trainer = new FlowTrainer(TinyTraining.Flow(folder, 5), SyntheticAtlas.FirstEdition, float32, _ => { }, stop.Token);
        trainer.StepDone = steps => StopAt(steps, stopAt, stop);
        Run(() => trainer.Run(_ => { }, stop.Token), stopAt);
    }

    private static void StopAt(long steps, long? stopAt, CancellationTokenSource stop)
    {
        if (steps == stopAt)
            stop.Cancel();
    }

    private static void Run(Action train, long? stopAt)
    {
        if (stopAt is null)
            train();
        else
            Assert.Throws<OperationCanceledException>(train);
    }
}
