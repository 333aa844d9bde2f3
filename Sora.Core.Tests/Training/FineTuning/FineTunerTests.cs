using Sora.Sampling;
using Sora.Tests.Engine;
using Sora.Tests.Generation;
using Sora.Tests.Training.SpriteWorld;
using Sora.Tests.Weights;
using Sora.Training;
using Sora.Training.Data;
using Sora.Training.FineTuning;
using Sora.Transformer;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Training.FineTuning;

[Collection(LiveTensors.Name)]
public sealed class FineTunerTests : IDisposable
{
    private static readonly VideoRequest Ball = new("a red ball rises") { Seed = 3, Steps = 2 };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task ALoraLearnsAndGivesTheSameWhenItIsLoaded()
    {
        long before = LiveTensors.Count();
        FineTuningConfig config = Lora("learns") with { Steps = 40 };
        using (DisposeScope scope = NewDisposeScope())
        using (FineTuner tuner = Tuner(config))
        {
            double first = Error(tuner);
            tuner.Run(_ => { }, default);
            double last = Error(tuner);
            Assert.True(last < 0.8 * first, $"the error was {first} and is {last}");

            using var adapter = LoraAdapter.Load(config.Output);
            Assert.Equal(new LoraDescription(LoraSpelling.Diffusers, 20, 20, 0, 4, 4, adapter.Describe().Bytes), adapter.Describe());
            var store = new LoraStore(ModelFolder.Open(TinyModel.Folder).OpenWeights("transformer"), [(adapter, 1)]);
            using DiffusionTransformer loaded = new(TinyModel.Transformer, new CheckpointParameters(store, float32, CPU));
            using DiffusionTransformer plain = new(TinyModel.Transformer, new CheckpointParameters(Path.Combine(TinyModel.Folder, "transformer"), float32, CPU));
            using IDisposable noGradients = no_grad();
            Tensor trained = Velocity(tuner.Transformer);
            double size = trained.abs().max().item<float>();
            Assert.InRange((trained - Velocity(loaded)).abs().max().item<float>() / size, 0, 1e-5);
            Assert.True((trained - Velocity(plain)).abs().max().item<float>() / size > 0.05);
        }
        Assert.Equal(before, LiveTensors.Count());

        using SafetensorsFile file = SafetensorsFile.Open(config.Output);
        Assert.Contains("transformer.blocks.1.ffn.net.0.proj.lora_A.weight", file.Entries.Keys);
        Assert.Contains("\"transformer.lora_alpha\":8", file.Metadata["lora_adapter_metadata"], StringComparison.Ordinal);
        using VideoGenerator generator = await TinyModel.LoadAsync();
        byte[] without = await Pixels.OfAsync(generator, Ball);
        await generator.SetLorasAsync([new LoraFile(config.Output)]);
        Assert.NotEqual(without, await Pixels.OfAsync(generator, Ball));
    }

    [Fact]
    public void AnInterruptedLoraGoesOnAsIfNothingHadBeen()
    {
        FineTuningConfig straight = Lora("straight") with { Steps = 4 }, broken = Lora("broken") with { Steps = 4 };
        using (FineTuner tuner = Tuner(straight))
            tuner.Run(_ => { }, default);
        using (var stop = new CancellationTokenSource())
        using (FineTuner tuner = Tuner(broken))
        {
            tuner.StepDone = steps =>
            {
                if (steps == 2)
                    stop.Cancel();
            };
            Assert.Throws<OperationCanceledException>(() => tuner.Run(_ => { }, stop.Token));
        }
        Assert.NotEqual(File.ReadAllBytes(straight.Output), File.ReadAllBytes(broken.Output)); // the checkpoint's
        using (FineTuner tuner = Tuner(broken))
            tuner.Run(_ => { }, default);
        Assert.Equal(File.ReadAllBytes(straight.Output), File.ReadAllBytes(broken.Output));
    }

    [Fact]
    public async Task AllWeightsAreTrainedIntoAModelThatGenerates()
    {
        FineTuningConfig config = Lora("full") with { Lora = null, Output = _folder.File("model"), Steps = 10, LearningRate = 2e-3, Precision = WeightPrecision.F32 };
        byte[] source = File.ReadAllBytes(Path.Combine(TinyModel.Folder, "transformer", "diffusion_pytorch_model.safetensors"));
        using (FineTuner tuner = Tuner(config))
        {
            double first = Error(tuner);
            tuner.Run(_ => { }, default);
            Assert.True(Error(tuner) < 0.8 * first);
            using var parameters = new CheckpointParameters(Path.Combine(config.Output, "transformer"), float32, CPU);
            using DiffusionTransformer written = new(TinyModel.Transformer, parameters);
            Assert.All(written.Parameters, p => Assert.Equal(0, (p.Value - tuner.Parameters[p.Key]).abs().max().item<float>()));
        }
        Assert.Equal(source, File.ReadAllBytes(Path.Combine(TinyModel.Folder, "transformer", "diffusion_pytorch_model.safetensors")));
        using VideoGenerator tuned = await TinyModel.LoadAsync(config.Output), plain = await TinyModel.LoadAsync();
        Assert.NotEqual(await Pixels.OfAsync(plain, Ball), await Pixels.OfAsync(tuned, Ball));
    }

    [Fact]
    public void AnExpertLearnsAtItsOwnNoiseLevels()
    {
        TinyModel.Create(_folder.File("two"), twoExperts: true);
        Assert.Contains("high_noise or low_noise", Refusal(Lora("two") with { Model = _folder.File("two") }), StringComparison.Ordinal);
        FineTuningConfig low = Lora("low") with { Model = _folder.File("two"), Expert = LoraExpert.LowNoise, Steps = 1 };
        using (FineTuner tuner = Tuner(low))
            tuner.Run(_ => { }, default);
        Assert.True(File.Exists(low.Output));

        var noise = new TuningNoise(new(0, 1, 0, 0), 3, (0.875, 1));
        Assert.All(Enumerable.Range(0, 100), i => Assert.All(noise.Draw(1, i, 3, 100), level => Assert.InRange(level, 0.875, 1)));
        noise = noise with { Range = (0, 0.875) };
        Assert.All(Enumerable.Range(0, 100), i => Assert.All(noise.Draw(1, i, 3, 100), level => Assert.InRange(level, 0, 0.875)));
    }

    [Fact]
    public void WhatTheOutputStandsForIsTheModels()
    {
        TinyModel.CopyTo(_folder.File("preconditioned"));
        string path = Path.Combine(_folder.File("preconditioned"), "scheduler", "scheduler_config.json");
        (SchedulerConfig.Load(path) with { Prediction = FlowPrediction.Preconditioned }).Save(path);
        FineTuningConfig config = Lora("velocity"), other = Lora("preconditioned") with { Model = _folder.File("preconditioned") };
        using FineTuner velocity = Tuner(config), preconditioned = Tuner(other);
        Assert.NotEqual(Error(velocity), Error(preconditioned), 0.01);
    }

    [Fact]
    public void AFileOfHalfTheSizeHoldsTheSameLora()
    {
        string[] files = [_folder.File("wide.safetensors"), _folder.File("narrow.safetensors")];
        foreach ((string file, WeightPrecision precision) in files.Zip((WeightPrecision[])[WeightPrecision.F32, WeightPrecision.BF16]))
        {
            FineTuningConfig config = Lora("lora " + precision) with { Output = file, Steps = 2 };
            using FineTuner tuner = Tuner(config with { Lora = config.Lora! with { Precision = precision } });
            tuner.Run(_ => { }, default);
        }
        using SafetensorsFile wide = SafetensorsFile.Open(files[0]), narrow = SafetensorsFile.Open(files[1]);
        Assert.Equal(wide.Entries.Keys.Order(), narrow.Entries.Keys.Order());
        foreach (string name in wide.Entries.Keys)
            Assert.Equal(2 * narrow.Bytes(narrow.Entries[name]).Length, wide.Bytes(wide.Entries[name]).Length);
        using DisposeScope scope = NewDisposeScope();
        using var before = SafetensorsStore.Open(files[0]);
        using var after = SafetensorsStore.Open(files[1]);
        Assert.All(wide.Entries.Keys, name => Assert.InRange(RandomTensor.Distance(before.Read(name, float32, CPU), after.Read(name, float32, CPU)), 0, 0.004f * before.Read(name, float32, CPU).abs().max().item<float>()));
        Assert.Equal("A LoRA's precision is f16; allowed: f32, bf16; nearest: bf16.", Assert.Throws<SoraException>(() => new LoraConfig { Precision = WeightPrecision.F16 }).Message);
    }

    [Fact]
    public void WhatCannotBeTunedIsNamed()
    {
        TinyModel.Create(_folder.File("image"), TinyModel.Transformer with { InChannels = 12 });
        Assert.Contains("in_channels 12", Refusal(Lora("a") with { Model = _folder.File("image") }), StringComparison.Ordinal);
        Assert.Contains("nearest: to_q", Refusal(Lora("b") with { Lora = new() { Modules = ["to_qq"] } }), StringComparison.Ordinal);
        Assert.Contains("nearest: style.safetensors", Refusal(Lora("c") with { Output = "style" }), StringComparison.Ordinal);
        Assert.Contains("nearest: style", Refusal(Lora("d") with { Output = "style.safetensors", Lora = null }), StringComparison.Ordinal);
        Assert.Contains("is there already", Refusal(Lora("e") with { Output = TinyModel.Folder, Lora = null }), StringComparison.Ordinal);
        Assert.Contains("leave it out", Refusal(Lora("f") with { Expert = LoraExpert.HighNoise }), StringComparison.Ordinal);
        Assert.Contains("known_share", Refusal(Lora("g") with { Noise = new(0, 1, 0.5, 0) }), StringComparison.Ordinal);
        Assert.Contains("rank", Assert.Throws<SoraException>(() => new LoraConfig { Rank = 0 }).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AFileDescribesALora()
    {
        string path = _folder.File("lora.json");
        File.WriteAllText(path, """
            {
              "kind": "lora", "model": "Wan2.1-T2V-1.3B-Diffusers", "run_folder": "runs/style", "output": "style.safetensors",
              "data": { "folder": "footage" }, "shapes": { "most_area": 399360, "most_frames": 33 },
              "lora": { "rank": 32, "modules": ["to_q", "to_v"] }, "steps": 1000, "expert": "high_noise"
            }
            """);
        FineTuningConfig config = TrainingFile.Load(path).FineTuning!;
        Assert.Equal("footage", config.Data.Folder);
        Assert.Equal(399360, config.Shapes.MostArea);
        Assert.Equal((32, 16.0), (config.Lora!.Rank, config.Lora.Alpha));
        Assert.Equal(["to_q", "to_v"], config.Lora.Modules);
        Assert.Equal(LoraExpert.HighNoise, config.Expert);

        File.WriteAllText(path, """{ "kind": "lora", "model": "m", "run_folder": "r", "output": "o.safetensors" }""");
        Assert.Equal(LoraConfig.DefaultModules, TrainingFile.Load(path).FineTuning!.Lora!.Modules);
        File.WriteAllText(path, """{ "kind": "finetune", "model": "m", "run_folder": "r", "output": "o", "learning_rat": 1 }""");
        Assert.Contains("nearest: learning_rate", Assert.Throws<SoraException>(() => TrainingFile.Load(path)).Message, StringComparison.Ordinal);
    }

    private FineTuningConfig Lora(string name) => new()
    {
        Model = TinyModel.Folder,
        RunFolder = _folder.File($"{name}-run"),
        Output = _folder.File($"{name}.safetensors"),
        Lora = new() { Rank = 4, Alpha = 8 },
        Shapes = new ClipShapes { LeastArea = 256, MostArea = 512, LeastAspect = 0.5, MostAspect = 2, LeastFrames = 1, MostFrames = 5 },
        Clips = 4,
        ClipsPerStep = 3,
        LearningRate = 5e-3,
        WarmupSteps = 2,
        Device = "cpu",
    };

    private static FineTuner Tuner(FineTuningConfig config) => new(config, SyntheticAtlas.FirstEdition, float32, _ => { }, default);

    private static string Refusal(FineTuningConfig config) => Assert.Throws<SoraException>(() => Tuner(config)).Message;

    // On noise that training does not draw.
    private static double Error(FineTuner tuner)
    {
        using IDisposable noGradients = no_grad();
        double sum = 0;
        for (int i = 0; i < 8; i++)
        {
            using DisposeScope scope = NewDisposeScope();
            sum += ((ITrainingTask)tuner).Loss(1_000_000 + i).item<float>();
        }
        return sum / 8;
    }

    private static Tensor Velocity(DiffusionTransformer transformer) =>
        transformer.Forward(RandomTensor.Create(1, 1, 4, 2, 4, 6), [400], transformer.Prepare(RandomTensor.Create(2, 1, 16, 24)));
}
