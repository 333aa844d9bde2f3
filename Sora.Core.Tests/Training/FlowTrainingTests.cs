using System.Text.Json;
using Sora.Drafts;
using Sora.Frames;
using Sora.Layers;
using Sora.Patches;
using Sora.Sampling;
using Sora.Tests.Engine;
using Sora.Tests.Training.Data;
using Sora.Tests.Training.SpriteWorld;
using Sora.Training;
using Sora.Training.Data;
using Sora.Training.Distillation;
using Sora.Training.FineTuning;
using Sora.Training.SpriteWorld;
using Sora.Transformer;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Training;

/// <summary>What a training of the transformer shows besides its weights; on an autoencoder of random weights.</summary>
[Collection(LiveTensors.Name)]
public sealed class FlowTrainingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sora-flow-").FullName;

    public FlowTrainingTests() => TinyVae.Write(Path.Combine(_folder, "vae"));

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
            Assert.InRange(validation.GetProperty("subject_loss").GetDouble(), 0.01, 10);
        }

        string sheet = Path.Combine(config.RunFolder, "samples", "step-00000004.png");
        VideoFrame picture = ImageReader.Read(sheet);
        // Two rows of six frames, 32 by 32, two pixels apart.
        Assert.Equal(((6 * 34) - 2, (2 * 34) - 2), (picture.Width, picture.Height));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void TheErrorIsThatOfTheVelocityOnClipsThatAreNotTrainedOn(bool packed)
    {
        using DisposeScope scope = NewDisposeScope();
        FlowTrainingConfig config = TinyTraining.Flow(_folder, 1) with { ValidationClips = 11, Shapes = packed ? new() { LeastArea = 256, MostArea = 1536, LeastFrames = 5, MostFrames = 9 } : null };
        Directory.CreateDirectory(config.RunFolder);
        using IFlowBatches batches = FlowBatches.Open(config, SyntheticAtlas.FirstEdition, null, float32, _ => { }, default);
        Assert.Equal(2, batches.ValidationBatches);
        double squares = 0, values = 0;
        var trained = new HashSet<string>(Enumerable.Range(0, 40).SelectMany(step => Clips(batches.Draw(step))));
        for (int number = 0; number < 2; number++)
        {
            FlowBatch batch = batches.DrawValidation(number);
            Assert.Equal(number == 0 ? 8 : 3, batch.Grids.Count);
            Assert.Empty(Clips(batch).Intersect(trained));
            squares += (batch.Noise - batch.Data).square().sum().item<float>();
            values += batch.Data.NumberOfElements;
        }

        // Of a network that predicts nothing: the mean square of noise − data, at every level.
        var captions = new List<string>();
        IReadOnlyList<(string Name, double Value)> nothing = FlowValidation.Run(batches, batch => batch, (batch, x) =>
        {
            captions.AddRange(batch.Captions);
            return zeros(x.shape);
        });
        Assert.Equal(packed ? 10 : 11, nothing.Count);
        Assert.All(nothing.Where(error => error.Name != "subject_loss"), error => Assert.Equal(squares / values, error.Value, 1e-3));
        Assert.Equal(9 * 11, captions.Count);
        Assert.All(captions, caption => Assert.NotEqual("", caption));

        // Of one that knows the data: x = data + σ·(noise − data), so none.
        IReadOnlyList<(string Name, double Value)> exact = FlowValidation.Run(batches, batch => batch, (batch, x) => (x - batch.Data) / batch.Levels[0]);
        Assert.All(exact, error => Assert.InRange(error.Value, 0, 1e-8));

        // Weighed by what halves every number: half of the error, under a name of its own.
        Tensor half = full([1, batches.DrawValidation(0).Data.size(1)], 0.5f);
        IReadOnlyList<(string Name, double Value)> weighed = FlowValidation.Run(batches, batch => batch, (batch, x) => zeros(x.shape), half);
        Assert.Equal(squares / values / 2, weighed.Single(error => error.Name == "pixel_loss").Value, 1e-3);
        Assert.Equal(nothing, weighed.Where(error => error.Name != "pixel_loss"));

        static IEnumerable<string> Clips(FlowBatch batch)
        {
            long at = 0;
            foreach (PatchGrid grid in batch.Grids)
            {
                yield return string.Join(' ', batch.Data.narrow(0, at, grid.Count).flatten().data<float>().ToArray());
                at += grid.Count;
            }
        }
    }

    [Fact]
    public void AShiftBySizeIsTheModelsWhenItGenerates()
    {
        FlowTrainingConfig config = TinyTraining.Flow(_folder, 1) with { Noise = new(0, 1, 0.25, 0.15, ShiftTokens: 12), ValidationSteps = 0 };
        using (var trainer = new FlowTrainer(config, SyntheticAtlas.FirstEdition, float32, _ => { }, CancellationToken.None))
            trainer.Run(_ => { }, CancellationToken.None);
        ModelLimits limits = ModelFolder.Open(config.OutputFolder).Limits;
        // Patches of 16 pixels: 3 latent frames of 2 by 2 are the 12 that the shift is for.
        var request = new VideoRequest("a dog") { Width = 32, Height = 32, FrameCount = 9 };
        Assert.Equal(2, request.Resolve(limits).Shift);
        Assert.Equal(4, (request with { Width = 64, Height = 64 }).Resolve(limits).Shift);
        Assert.Equal(1, (request with { Width = 16, Height = 48, FrameCount = 1 }).Resolve(limits).Shift!.Value, 1e-6);
        // A long video is made in windows, and its shift is a window's.
        Assert.Equal(2, (request with { FrameCount = 33, WindowFrames = 9, OverlapFrames = 5 }).Resolve(limits).Shift);
        Assert.Equal(7, (request with { Width = 64, Shift = 7 }).Resolve(limits).Shift);
        // A draft has its own size's, or the one that is asked for.
        VideoRequest drafted = request with { Width = 64, Height = 64, Draft = 0.5 };
        Assert.Equal((4f, 2f), (drafted.Resolve(limits).Shift, DraftedRequest.DraftOf(drafted, limits).Shift));
        Assert.Equal(7, DraftedRequest.DraftOf(drafted with { Shift = 7 }, limits).Shift);

        string file = Path.Combine(_folder, "partial.json");
        File.WriteAllText(file, """{ "kind": "lora", "model": "m", "run_folder": "r", "output": "o.safetensors", "noise": { "shift_tokens": 320 } }""");
        Assert.Contains("mean", Assert.Throws<SoraException>(() => TrainingFile.Load(file)).Message, StringComparison.OrdinalIgnoreCase);
    }

    // Stages with one seed share their clips, but what is drawn of them at a step is new at each: noise that comes again is learned by heart.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ATrainingThatGoesOnFromFinishedWeightsDrawsOtherBatches(bool packed)
    {
        FlowTrainingConfig first = TinyTraining.Flow(_folder, 1) with { ValidationSteps = 0, Shapes = packed ? new() { LeastArea = 256, MostArea = 1536, LeastFrames = 5, MostFrames = 9 } : null };
        using (var trainer = new FlowTrainer(first, SyntheticAtlas.FirstEdition, float32, _ => { }, CancellationToken.None))
            trainer.Run(_ => { }, CancellationToken.None);
        float[] Noise(FlowTrainingConfig config)
        {
            using DisposeScope scope = NewDisposeScope();
            using IFlowBatches batches = FlowBatches.Open(config, SyntheticAtlas.FirstEdition, null, float32, _ => { }, default);
            return batches.Draw(0).Noise.flatten().narrow(0, 0, 32).data<float>().ToArray();
        }
        FlowTrainingConfig next = first with { StartFolder = first.OutputFolder };
        Assert.Equal(Noise(first), Noise(first));
        Assert.Equal(Noise(next), Noise(next));
        Assert.NotEqual(Noise(first), Noise(next));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    public async Task ASemanticMapIsDrawnInChannelsOfItsOwn(double gain)
    {
        int all = TinyTraining.Flow(_folder, 1).Transformer.InChannels + SemanticMap.Channels;
        FlowTrainingConfig config = TinyTraining.Flow(_folder, 2) with
        {
            SemanticMap = true, MapGain = gain, Shape = new(48, 32, 9), CloseUps = new() { Count = 6, Size = 32, Share = 0.5 }, ValidationClips = 3, ValidationSteps = 1,
        };
        config = config with { Transformer = config.Transformer with { InChannels = all, OutChannels = all } };
        using (var trainer = new FlowTrainer(config, SyntheticAtlas.FirstEdition, float32, _ => { }, CancellationToken.None))
            trainer.Run(_ => { }, CancellationToken.None);

        using (DisposeScope scope = NewDisposeScope())
        {
            using IFlowBatches batches = FlowBatches.Open(config, SyntheticAtlas.FirstEdition, null, float32, _ => { }, default);
            using IFlowBatches without = FlowBatches.Open(
                TinyTraining.Flow(_folder, 2) with { Shape = config.Shape, CloseUps = config.CloseUps, ValidationClips = 3 }, SyntheticAtlas.FirstEdition, null, float32, _ => { }, default);
            Tensor mapped = batches.Examples(1)[0], plain = without.Examples(1)[0];                                            // 1 C t h w
            Assert.Equal([1, all, 3, 4, 6], mapped.shape);
            // The autoencoder's channels, from the same file, and then a map that shows something, but not everywhere.
            Assert.Equal(0, (mapped.narrow(1, 0, plain.size(1)) - plain).abs().max().item<float>());
            Assert.InRange(mapped.narrow(1, all - 1, 1).gt(0).to(float32).mean().item<float>(), 0.05f, 0.9f);
        }

        // What comes out is a model as any other.
        ModelFolder model = ModelFolder.Open(config.OutputFolder);
        Assert.Equal((all, all), (model.Transformer.InChannels, model.Vae.ZDim));
        Assert.True(model.Defaults.SemanticMap);
        Assert.Equal(gain > 1 ? new ChannelLead(SemanticMap.Channels, gain) : null, model.Scheduler.Lead);
        var tuning = new FineTuningConfig
        {
            Model = config.OutputFolder, RunFolder = Path.Combine(_folder, "tuning"), Output = Path.Combine(_folder, "tuned.safetensors"), Lora = new() { Rank = 2 },
            Shapes = new() { LeastArea = 1024, MostArea = 2304, LeastFrames = 5, MostFrames = 9 }, Clips = 3, ClipsPerStep = 2, Steps = 2,
        };
        using (var tuner = new FineTuner(tuning, SyntheticAtlas.FirstEdition, float32, _ => { }, CancellationToken.None))
            tuner.Run(_ => { }, CancellationToken.None);
        Assert.True(File.Exists(tuning.Output));
        using VideoGenerator generator = await VideoGenerator.LoadAsync(config.OutputFolder);
        await using GeneratedVideo video = await generator.GenerateAsync(new VideoRequest("a dog") { Width = 48, Height = 32, FrameCount = 5, Steps = 2 });
        Assert.Equal(5, video.Frames.Count);

        // Its own videos do have maps, so it can be taught to make them in fewer steps; a larger map does not fill the loss.
        var few = new DistillationConfig
        {
            Model = config.OutputFolder, RunFolder = Path.Combine(_folder, "few"), Output = Path.Combine(_folder, "few.safetensors"), Lora = new() { Rank = 2 },
            Width = 48, Height = 32, FrameCount = 5, FewSteps = 2, TeacherSteps = 4, Videos = 2, VideosPerStep = 1, Steps = 1, ValidationVideos = 1, ValidationSteps = 1,
        };
        using (var distiller = new Distiller(few, SyntheticAtlas.FirstEdition, float32, _ => { }, CancellationToken.None))
            distiller.Run(_ => { }, CancellationToken.None);
        Assert.True(File.Exists(few.Output));
        JsonElement measured = File.ReadAllLines(Path.Combine(few.RunFolder, "metrics.jsonl")).Select(line => JsonSerializer.Deserialize<JsonElement>(line))
            .Last(r => r.TryGetProperty("validation", out _)).GetProperty("validation");
        Assert.InRange(measured.GetProperty("loss").GetDouble(), 1e-6, 3);
    }

    [Fact]
    public void ClipsOfTheirOwnSizesHaveMapsOfTheirSizes()
    {
        FlowTrainingConfig config = TinyTraining.Flow(_folder, 1) with
        {
            SemanticMap = true, ValidationClips = 3, Clips = 4, Pictures = 4, TokensPerStep = 400, Shapes = new() { LeastArea = 1024, MostArea = 2304, LeastFrames = 5, MostFrames = 9 },
        };
        int own = config.Transformer.InChannels, all = own + SemanticMap.Channels;
        config = config with { Transformer = config.Transformer with { InChannels = all, OutChannels = all, PatchSize = [1, 1, 1] } };
        using DisposeScope scope = NewDisposeScope();
        using IFlowBatches batches = FlowBatches.Open(config, SyntheticAtlas.FirstEdition, null, float32, _ => { }, default);
        foreach (FlowBatch batch in (FlowBatch[])[batches.Draw(0), batches.DrawValidation(0)])
        {
            int at = 0;
            Assert.InRange(batch.Grids.Distinct().Count(), 2, 100);
            foreach (PatchGrid grid in batch.Grids)
            {
                Tensor latents = Patchify.Join(batch.Data.narrow(0, at, grid.Count), 1, grid, config.Transformer.PatchSize, all); // 1 C t h w
                Tensor cover = latents.narrow(1, all - 1, 1), sign = latents.narrow(1, own, 1);
                Assert.InRange(cover.gt(0).to(float32).mean().item<float>(), 0.02f, 0.95f);
                // A sign where there is a subject, and nowhere else.
                Assert.Equal(0, ((sign.abs() / 2.5) - cover.gt(0).to(float32)).abs().max().item<float>(), 1e-5);
                at += (int)grid.Count;
            }
        }
    }

    // A network that draws nothing is as wrong over the autoencoder's channels, whatever the map's gain; and in the loss a larger map, which at most levels is told already, counts less and never more.
    [Fact]
    public void ALargerMapWeighsNoMore()
    {
        FlowTrainingConfig config = TinyTraining.Flow(_folder, 1) with { SemanticMap = true, ValidationSteps = 1, ValidationClips = 3 };
        int all = config.Transformer.InChannels + SemanticMap.Channels;
        config = config with { Transformer = config.Transformer with { InChannels = all, OutChannels = all } };
        (double Loss, double Validation)[] errors = [.. new[] { 1.0, 16 }.Select(gain =>
        {
            FlowTrainingConfig one = config with { MapGain = gain, RunFolder = Path.Combine(_folder, $"gain {gain}"), OutputFolder = Path.Combine(_folder, $"gain {gain}", "model") };
            using (var trainer = new FlowTrainer(one, SyntheticAtlas.FirstEdition, float32, _ => { }, CancellationToken.None))
                trainer.Run(_ => { }, CancellationToken.None);
            JsonElement[] records = [.. File.ReadAllLines(Path.Combine(one.RunFolder, "metrics.jsonl")).Select(line => JsonSerializer.Deserialize<JsonElement>(line))];
            return (records.First(r => r.TryGetProperty("loss", out _)).GetProperty("loss").GetDouble(),
                records.Single(r => r.TryGetProperty("validation", out _)).GetProperty("validation").GetProperty("loss").GetDouble());
        })];
        Assert.InRange(errors[1].Loss / errors[0].Loss, 0.01, 1.1);
        Assert.InRange(errors[1].Validation / errors[0].Validation, 0.9, 1.1);
    }

    [Fact]
    public void AMapGoesWithALossInPixels()
    {
        FlowTrainingConfig config = TinyTraining.Flow(_folder, 1) with { SemanticMap = true, LossSpace = LossSpace.Pixels, ValidationSteps = 1 };
        int all = config.Transformer.InChannels + SemanticMap.Channels;
        config = config with { Transformer = config.Transformer with { InChannels = all, OutChannels = all } };
        using (var trainer = new FlowTrainer(config, SyntheticAtlas.FirstEdition, float32, _ => { }, CancellationToken.None))
            trainer.Run(_ => { }, CancellationToken.None);
        JsonElement validation = File.ReadAllLines(Path.Combine(config.RunFolder, "metrics.jsonl")).Select(line => JsonSerializer.Deserialize<JsonElement>(line))
            .Where(r => r.TryGetProperty("validation", out _)).Select(r => r.GetProperty("validation")).Single();
        Assert.InRange(validation.GetProperty("pixel_loss").GetDouble(), 0.01, 10);
    }

    [Fact]
    public async Task DetailsAreGivenFromTheOthers()
    {
        FlowTrainingConfig config = TinyTraining.Flow(_folder, 30) with { SemanticMap = true, MapGain = 8, ValidationSteps = 30, ValidationClips = 3, LearningRate = 0.01, Details = new() { Channels = 3, Regressed = true } };
        int all = config.Transformer.InChannels + SemanticMap.Channels;
        config = config with { Transformer = config.Transformer with { InChannels = all, OutChannels = all } };
        using (var trainer = new FlowTrainer(config, SyntheticAtlas.FirstEdition, float32, _ => { }, CancellationToken.None))
        {
            trainer.Run(_ => { }, CancellationToken.None);
            // What nothing is read of stays as it was, but for the decay: to both sides of it more is learned.
            using var fresh = new DiffusionTransformer(config.Transformer, new FreshParameters(config.Seed, float32));
            Tensor moved = (trainer.Parameters["transformer.patch_embedding.weight"] - fresh.Parameters["patch_embedding.weight"]).square().sum([0, 2, 3, 4]).detach();
            float[] lengths = moved.sqrt().data<float>().ToArray();
            Assert.True(lengths[1..4].Max() < 0.1 * Math.Min(lengths[0], lengths[4]), string.Join(' ', lengths));
        }
        SchedulerConfig scheduler = SchedulerConfig.Load(Path.Combine(config.OutputFolder, "scheduler", "scheduler_config.json"));
        Assert.Equal(new(FlowPrediction.Preconditioned, new(SemanticMap.Channels, 8), 3), scheduler.Prediction);
        JsonElement validation = File.ReadAllLines(Path.Combine(config.RunFolder, "metrics.jsonl")).Select(line => JsonSerializer.Deserialize<JsonElement>(line))
            .Where(r => r.TryGetProperty("validation", out _)).Select(r => r.GetProperty("validation")).Single();
        Assert.InRange(validation.GetProperty("detail_loss").GetDouble(), 0.01, 3);
        await Generates(config.OutputFolder);
    }

    [Fact]
    public void FramesThatAreKnownHaveNoMap()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = RandomTensor.Create(1, 4, 10), unknown = tensor([1f, 0, 1, 0], [4, 1]);
        Tensor seen = Sora.Training.SpriteWorld.SemanticMap.OfUnknown(x, unknown, 6);
        Assert.Equal(0, (seen.narrow(1, 0, 4) - x.narrow(1, 0, 4)).abs().max().item<float>());
        Assert.Equal(0, (seen - x).index_select(0, tensor((long[])[0, 2])).abs().max().item<float>());
        Assert.Equal(0, seen.narrow(1, 4, 6).index_select(0, tensor((long[])[1, 3])).abs().max().item<float>());
    }

    [Theory]
    [InlineData(4, false, "transformer.in_channels is 4; allowed: 16, of which the autoencoder in ")]
    [InlineData(4, false, " and the semantic map 12. It seems to have the map's already, as that of a model folder has; nearest: ")]
    [InlineData(16, true, "semantic_map is known of the drawn world, and data is the folder clips; leave out semantic_map")]
    public void ASemanticMapThatCannotBeDrawnIsRefused(int channels, bool folder, string message)
    {
        FlowTrainingConfig config = TinyTraining.Flow(_folder, 1) with { SemanticMap = true, Data = folder ? new() { Folder = "clips" } : TrainingData.World };
        config = config with { Transformer = config.Transformer with { InChannels = channels, OutChannels = channels } };
        Assert.Contains(message, Assert.Throws<SoraException>(() => new FlowTrainer(config, SyntheticAtlas.FirstEdition, float32, _ => { }, CancellationToken.None)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AGainWithoutAMapIsRefused()
    {
        FlowTrainingConfig config = TinyTraining.Flow(_folder, 1) with { MapGain = 8 };
        Assert.Equal("map_gain is 8 and there is no map; set semantic_map, or leave out map_gain.",
            Assert.Throws<SoraException>(() => new FlowTrainer(config, SyntheticAtlas.FirstEdition, float32, _ => { }, CancellationToken.None)).Message);
        Assert.StartsWith("details.regressed needs a map_gain above 1 where there is a semantic_map, and map_gain is 1; ",
            Assert.Throws<SoraException>(() => new FlowTrainer(config with { MapGain = 1, SemanticMap = true, Details = new() { Channels = 1, Regressed = true } }, SyntheticAtlas.FirstEdition, float32, _ => { }, CancellationToken.None)).Message, StringComparison.Ordinal);
        Assert.Equal("map_gain 0.5 is out of range; allowed: 1 to 1000, nearest: 1.", Assert.Throws<SoraException>(() => config with { MapGain = 0.5 }).Message);
    }

    [Fact]
    public async Task TexturesOfAMapAreLearnedAndTheModelIsOneAsAnyOther()
    {
        int all = TinyTraining.Flow(_folder, 1).Transformer.InChannels + SemanticMap.Channels;
        FlowTrainingConfig config = TinyTraining.Flow(_folder, 2) with { SemanticMap = true, MapGain = 8, ValidationSteps = 0 };
        config = config with { Transformer = config.Transformer with { PatchSize = [1, 1, 1], InChannels = all, OutChannels = all, MapHarmonics = 2, MapGain = 8 } };
        using (var trainer = new FlowTrainer(config, SyntheticAtlas.FirstEdition, float32, _ => { }, CancellationToken.None))
        {
            trainer.Run(_ => { }, CancellationToken.None);
            Assert.InRange(trainer.Parameters["transformer.texture_embedding.weight"].abs().max().item<float>(), 1e-5f, 1);
        }
        await Generates(config.OutputFolder);

        // A training that starts from it keeps its waves.
        FlowTrainingConfig next = config with { StartFolder = config.OutputFolder, RunFolder = Path.Combine(_folder, "next"), OutputFolder = Path.Combine(_folder, "next", "model") };
        Assert.Contains("has map_harmonics 2, and map_harmonics is 3; allowed: 2.", Refusal(next with { Transformer = next.Transformer with { MapHarmonics = 3 } }), StringComparison.Ordinal);
        Assert.Contains("transformer.map_harmonics is 2 with a map_gain of 8, and the training has semantic_map True and map_gain 4; ", Refusal(next with { MapGain = 4 }), StringComparison.Ordinal);
        using (var trainer = new FlowTrainer(next, SyntheticAtlas.FirstEdition, float32, _ => { }, CancellationToken.None))
        {
            using var finished = new CheckpointParameters(Path.Combine(config.OutputFolder, "transformer"), float32, CPU);
            using var source = new DiffusionTransformer(config.Transformer, finished);
            Assert.Equal(0, RandomTensor.Distance(source.Parameters["texture_embedding.weight"], trainer.Parameters["transformer.texture_embedding.weight"]));
        }

        // Those of turned drawings come beside them, begin as nothing, and stay.
        FlowTrainingConfig turned = next with { Transformer = next.Transformer with { MapTurns = true }, RunFolder = Path.Combine(_folder, "turned"), OutputFolder = Path.Combine(_folder, "turned", "model") };
        using (var trainer = new FlowTrainer(turned, SyntheticAtlas.FirstEdition, float32, _ => { }, CancellationToken.None))
        {
            using var finished = new CheckpointParameters(Path.Combine(config.OutputFolder, "transformer"), float32, CPU);
            using var source = new DiffusionTransformer(config.Transformer, finished);
            Tensor old = source.Parameters["texture_embedding.weight"];
            Parameter table = trainer.Parameters["transformer.texture_embedding.weight"];
            long plain = old.size(1), more = table.size(1) - plain;
            Assert.True(more > plain);
            Assert.Equal(0, RandomTensor.Distance(old, table.narrow(1, 0, plain).detach()));
            Assert.Equal(0, table.narrow(1, plain, more).abs().max().item<float>());
            trainer.Run(_ => { }, CancellationToken.None);
            Assert.InRange(table.narrow(1, plain, more).abs().max().item<float>(), 1e-5f, 1);
        }
        await Generates(turned.OutputFolder);
        Assert.Contains("has map_turns, and map_turns is false; allowed: true.", Refusal(turned with
        {
            StartFolder = turned.OutputFolder, RunFolder = Path.Combine(_folder, "back"), OutputFolder = Path.Combine(_folder, "back", "model"), Transformer = next.Transformer,
        }), StringComparison.Ordinal);

        // And so do samples around a cell's point.
        FlowTrainingConfig sampled = turned with
        {
            StartFolder = turned.OutputFolder, RunFolder = Path.Combine(_folder, "sampled"), OutputFolder = Path.Combine(_folder, "sampled", "model"), Transformer = turned.Transformer with { MapSamples = 4 },
        };
        using (var trainer = new FlowTrainer(sampled, SyntheticAtlas.FirstEdition, float32, _ => { }, CancellationToken.None))
        {
            (Parameter drawings, Parameter code) = (trainer.Parameters["transformer.texture_embedding.samples.drawings.weight"], trainer.Parameters["transformer.texture_embedding.samples.code.weight"]);
            using Tensor before = drawings.detach().clone();
            Assert.Equal(0, code.abs().max().item<float>());
            trainer.Run(_ => { }, CancellationToken.None);
            Assert.InRange(code.abs().max().item<float>(), 1e-5f, 1);
            // At the first step nothing is made of the drawings; at the second they are learned.
            Assert.InRange(RandomTensor.Distance(before, drawings.detach()), 1e-7, 1);
        }
        await Generates(sampled.OutputFolder);
        foreach ((int? width, string shown) in ((int?, string)[])[(null, "null"), (5, "5")])
        {
            Assert.Contains($"has map_samples 4, and map_samples is {shown}; allowed: 4.", Refusal(sampled with
            {
                StartFolder = sampled.OutputFolder, RunFolder = Path.Combine(_folder, "back"), OutputFolder = Path.Combine(_folder, "back", "model"), Transformer = sampled.Transformer with { MapSamples = width },
            }), StringComparison.Ordinal);
        }

        string sora = Path.Combine(config.OutputFolder, "sora.json"), scheduler = Path.Combine(config.OutputFolder, "scheduler", "scheduler_config.json");
        (string defaults, string schedule) = (File.ReadAllText(sora), File.ReadAllText(scheduler));
        File.WriteAllText(scheduler, schedule.Replace("\"lead_gain\": 8", "\"lead_gain\": 4", StringComparison.Ordinal));
        Assert.Contains("transformer map_gain is 8, the scheduler's lead_gain is 4; they must be equal.", Assert.Throws<SoraException>(() => ModelFolder.Open(config.OutputFolder)).Message, StringComparison.Ordinal);
        File.WriteAllText(scheduler, schedule);
        File.WriteAllText(sora, defaults.Replace("\"semantic_map\": true", "\"semantic_map\": false", StringComparison.Ordinal));
        Assert.Contains("semantic_map is not set, and the transformer has map_harmonics; allowed: both or neither.", Assert.Throws<SoraException>(() => ModelFolder.Open(config.OutputFolder)).Message, StringComparison.Ordinal);

        string Refusal(FlowTrainingConfig refused) =>
            Assert.Throws<SoraException>(() => new FlowTrainer(refused, SyntheticAtlas.FirstEdition, float32, _ => { }, CancellationToken.None)).Message;
    }

    private static async Task Generates(string folder)
    {
        using VideoGenerator generator = await VideoGenerator.LoadAsync(folder);
        await using GeneratedVideo video = await generator.GenerateAsync(new VideoRequest("a dog") { Width = 32, Height = 32, FrameCount = 5, Steps = 2 });
        Assert.Equal(5, video.Frames.Count);
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
    public void CloseUpsTakeTheirShareOfThePicturesSteps()
    {
        using DisposeScope scope = NewDisposeScope();
        FlowTrainingConfig config = TinyTraining.Flow(_folder, 2) with { CloseUps = new() { Count = 12, Size = 16, Share = 0.5 }, PictureShare = 0.6 };
        Directory.CreateDirectory(config.RunFolder);
        using (IFlowBatches batches = FlowBatches.Open(config, SyntheticAtlas.FirstEdition, null, float32, _ => { }, default))
        {
            PatchGrid[] grids = [.. Enumerable.Range(0, 400).Select(step => batches.Draw(step).Grids[0])];
            // Patches of 16 pixels: a close-up has one, a picture four.
            Assert.InRange(grids.Count(grid => grid is { T: 1, H: 1, W: 1 }), 90, 150);
            Assert.InRange(grids.Count(grid => grid is { T: 1, H: 2, W: 2 }), 90, 150);
            Assert.All(grids, grid => Assert.True(grid.T > 1 || grid.H == grid.W));
        }

        var log = new List<string>();
        using var trainer = new FlowTrainer(config, SyntheticAtlas.FirstEdition, float32, log.Add, CancellationToken.None);
        trainer.Run(_ => { }, CancellationToken.None);
        // The windows were encoded once.
        Assert.DoesNotContain(log, line => line.StartsWith("encoded", StringComparison.Ordinal));
    }

    [Fact]
    public void NativeClipsTakeTheirShareOfTheBatchesBesideThoseOfOneShape()
    {
        using DisposeScope scope = NewDisposeScope();
        FlowTrainingConfig plain = TinyTraining.Flow(_folder, 3) with { CloseUps = new() { Count = 12, Size = 16 }, Emphasis = new Dictionary<string, double> { ["dog"] = 3 }, LearningRate = 1e-3 };
        FlowTrainingConfig config = plain with { Native = new() { Share = 0.4, Clips = 10, Pictures = 10, Shapes = new() { LeastArea = 256, MostArea = 2048, LeastFrames = 5, MostFrames = 9 } } };
        Directory.CreateDirectory(config.RunFolder);
        using (IFlowBatches one = FlowBatches.Open(plain, SyntheticAtlas.FirstEdition, null, float32, _ => { }, default))
        using (IFlowBatches batches = FlowBatches.Open(config, SyntheticAtlas.FirstEdition, null, float32, _ => { }, default))
        {
            var others = new List<FlowBatch>();
            for (int number = 0; number < 200; number++)
            {
                FlowBatch batch = batches.Draw(number), same = one.Draw(number);
                Assert.Equal(batch.Data.bytes.ToArray(), batches.Draw(number).Data.bytes.ToArray());
                if (!batch.Captions.SequenceEqual(same.Captions) || !batch.Data.bytes.SequenceEqual(same.Data.bytes))
                    others.Add(batch);
            }
            Assert.Equal(80, others.Count);
            // One after another of those that there would be without the others, so that each clip comes as often.
            FlowTrainingConfig alone = config with { Native = null, CloseUps = null, Emphasis = null, Shapes = config.Native!.Shapes, Clips = 10, Pictures = 10, Seed = config.Seed + 4, ValidationClips = 0 };
            using IFlowBatches packed = FlowBatches.Open(alone, SyntheticAtlas.FirstEdition, null, float32, _ => { }, default);
            Assert.All(others.Take(50).Select((batch, number) => (batch, number)), other => Assert.Equal(packed.Draw(other.number).Data.bytes.ToArray(), other.batch.Data.bytes.ToArray()));
            // Of many sizes and lengths.
            Assert.True(others.SelectMany(batch => batch.Grids).Distinct().Count() >= 8);
            Assert.All(others, batch => Assert.InRange(batch.Grids.Sum(grid => grid.Count), 1, config.TokensPerStep));
            Assert.Equal(one.ValidationBatches, batches.ValidationBatches);
            Assert.Equal(one.DrawValidation(0).Data.bytes.ToArray(), batches.DrawValidation(0).Data.bytes.ToArray());
        }

        // All are encoded once.
        DateTime[] written = Written();
        using (var trainer = new FlowTrainer(config, SyntheticAtlas.FirstEdition, float32, _ => { }, CancellationToken.None))
            trainer.Run(_ => { }, CancellationToken.None);
        Assert.True(written.Length >= 4);
        Assert.Equal(written, Written());
        Assert.True(File.Exists(Path.Combine(config.OutputFolder, "model_index.json")));

        Assert.Equal("native are clips besides those of one shape: leave out shapes and data.folder, or native.", Refusal(config with { CloseUps = null, Emphasis = null, Shapes = new() }));
        Assert.Contains("nearest: by-day", Assert.Throws<SoraException>(() => new NativeClips { World = "by-days" }).Message, StringComparison.Ordinal);
        // Before anything is encoded.
        Assert.StartsWith("tokens_per_step 96 is less than", Refusal(config with { RunFolder = _folder + "/none", Native = config.Native! with { Shapes = new() } }), StringComparison.Ordinal);
        FlowTrainingConfig oneShape = config with { RunFolder = _folder + "/none", Native = null, CloseUps = null };
        Assert.Equal("shape is 64x64, 16 frames; for this autoencoder and transformer width is a multiple of 16 and height of 16, and frames are 4n + 1.", Refusal(oneShape with { Shape = new(64, 64, 16) }));
        Assert.Equal("tokens_per_step 10 is less than the 32 tokens of a clip of 64x64, 5 frames; nearest: 32.", Refusal(oneShape with { Shape = new(64, 64, 5), TokensPerStep = 10 }));
        Assert.Contains("no sprite", Refusal(config with { RunFolder = _folder + "/none", Native = config.Native! with { World = "by-day" } }), StringComparison.Ordinal);
        Assert.Contains("native.share 1.5 is out of range", Assert.Throws<SoraException>(() => new NativeClips { Share = 1.5 }).Message, StringComparison.Ordinal);

        DateTime[] Written() => [.. Directory.EnumerateFiles(config.RunFolder, "*.safetensors", SearchOption.AllDirectories).Where(file => !file.Contains("flow-state", StringComparison.Ordinal)).Order(StringComparer.Ordinal).Select(File.GetLastWriteTimeUtc)];

        static string Refusal(FlowTrainingConfig refused) =>
            Assert.Throws<SoraException>(() => FlowBatches.Open(refused, SyntheticAtlas.FirstEdition, null, float32, _ => { }, default)).Message;
    }

    [Fact]
    public void NativeClipsMayShowMoreOfTheCatalogueAndHaveAMap()
    {
        using DisposeScope scope = NewDisposeScope();
        int channels = 4 + SemanticMap.Channels;
        World all = SyntheticAtlas.World(SpriteWorldConfig.ByDay), known = new(SpriteWorldConfig.FirstEdition, all.Atlas);
        FlowTrainingConfig tiny = TinyTraining.Flow(_folder, 2);
        FlowTrainingConfig config = tiny with
        {
            SemanticMap = true,
            Transformer = tiny.Transformer with { InChannels = channels, OutChannels = channels },
            Native = new() { Share = 1, Clips = 20, Pictures = 1, Shapes = new() { LeastArea = 256, MostArea = 1024, LeastFrames = 5, MostFrames = 5 }, World = "by-day" },
        };
        Directory.CreateDirectory(config.RunFolder);
        using IFlowBatches batches = FlowBatches.Open(config, known, null, float32, _ => { }, default);
        FlowBatch[] drawn = [.. Enumerable.Range(0, 40).Select(number => batches.Draw(number))];
        Assert.All(drawn, batch => Assert.Equal(channels * config.Transformer.PatchSize.Aggregate((a, b) => a * b), batch.Data.size(1)));
        Assert.Contains(drawn.SelectMany(batch => batch.Captions).Where(caption => caption.Length > 0).Select(caption => CaptionParser.Parse(caption).Subject!), subject => !known.Config.Subjects.Contains(subject));

        string file = Path.Combine(_folder, "native.json");
        File.WriteAllText(file, $$"""
            { "kind": "flow", "transformer": {{config.Transformer.ToJson()}}, "text_encoder": {{config.TextEncoder.ToJson()}}, "vae_folder": "v", "run_folder": "r", "output_folder": "o",
              "native": { "share": 0.3, "clips": 7, "pictures": 0, "shapes": { "most_area": 9216 }, "world": "everything" } }
            """);
        Assert.Equal(new NativeClips { Share = 0.3, Clips = 7, Pictures = 0, Shapes = new() { MostArea = 9216 }, World = "everything" }, TrainingFile.Load(file).Flow!.Native);
    }

    [Fact]
    public void CloseUpsOfClipsAreWindowsOfTheirLatentsThroughWhichTheSubjectMoves()
    {
        using DisposeScope scope = NewDisposeScope();
        FlowTrainingConfig plain = TinyTraining.Flow(_folder, 2) with { Shape = new(64, 48, 5), PictureShare = 0, CloseUps = new() { Count = 2, Size = 16, ClipShare = 0.5 } };
        Directory.CreateDirectory(plain.RunFolder);
        using IFlowBatches batches = FlowBatches.Open(plain, SyntheticAtlas.FirstEdition, null, float32, _ => { }, default);
        Tensor[] clips = batches.Examples(plain.Clips);
        int whole = 0, windows = 0;
        var shapes = new HashSet<(int, int)>();
        for (int step = 0; step < 200; step++)
        {
            FlowBatch batch = batches.Draw(step);
            PatchGrid grid = batch.Grids[0];
            Assert.All(batch.Grids, other => Assert.Equal(grid, other));
            Assert.Equal(grid.Count * batch.Grids.Count, batch.Levels.Length);
            if (grid is { H: 3, W: 4 })
            {
                whole++;
                continue;
            }
            windows++;
            shapes.Add((grid.H, grid.W));
            Assert.True(grid.H == 1 || grid.W == 1, $"{grid}");
            // Every window is a part of one of the clips.
            Tensor window = batch.Data.narrow(0, 0, grid.Count);
            Assert.Contains(clips, clip => IsPartOf(window, grid, clip.narrow(2, 0, grid.T)));
        }
        Assert.InRange(windows, 70, 130);
        Assert.Equal(200, whole + windows);
        Assert.True(shapes.Count > 3, $"{shapes.Count} shapes");

        bool IsPartOf(Tensor window, PatchGrid grid, Tensor clip)
        {
            for (long y = 0; y <= clip.size(3) - (2 * grid.H); y += 2)
            {
                for (long x = 0; x <= clip.size(4) - (2 * grid.W); x += 2)
                {
                    if (RandomTensor.Distance(Patchify.Cut(clip.narrow(3, y, 2 * grid.H).narrow(4, x, 2 * grid.W), plain.Transformer.PatchSize), window) == 0)
                        return true;
                }
            }
            return false;
        }
    }

    [Theory]
    [InlineData(24, false, "close_ups.size 24 is not allowed: a multiple of 16, at most 32, the shorter side of shape; nearest: 32.")]
    [InlineData(48, false, "close_ups.size 48 is not allowed: a multiple of 16, at most 32, the shorter side of shape; nearest: 32.")]
    [InlineData(16, true, "close_ups are cut out of pictures of one shape: leave out shapes and data.folder, or close_ups.")]
    public void CloseUpsThatCannotBeCutOutAreRefused(int size, bool shapes, string message)
    {
        FlowTrainingConfig config = TinyTraining.Flow(_folder, 2) with { CloseUps = new() { Count = 12, Size = size }, Shapes = shapes ? new() : null };
        var exception = Assert.Throws<SoraException>(() => new FlowTrainer(config, SyntheticAtlas.FirstEdition, float32, _ => { }, CancellationToken.None));
        Assert.Equal(message, exception.Message);
        exception = Assert.Throws<SoraException>(() => new CloseUps { Share = 1.5 });
        Assert.Equal("close_ups.share 1.5 is out of range; allowed: 0 to 1, nearest: 1.", exception.Message);
    }

    [Fact]
    public void EmphasisDrawsWhatIsNamedSoManyTimesAsOften()
    {
        using DisposeScope scope = NewDisposeScope();
        FlowTrainingConfig plain = TinyTraining.Flow(_folder, 2) with { Clips = 400, Shape = new(16, 16, 1), Pictures = 1, PictureShare = 0 };
        FlowTrainingConfig config = plain with { Emphasis = new Dictionary<string, double> { ["bounces"] = 4, ["rocket"] = 3, ["desert"] = 0.25 } };
        Directory.CreateDirectory(config.RunFolder);
        ClipDescription[] drawn = [.. Enumerable.Range(0, 4000).Select(i => new Emphasis(config.Emphasis, SyntheticAtlas.FirstEdition.Config).SampleTraining(SyntheticAtlas.FirstEdition, (ulong)i))];
        ClipDescription[] chance = [.. Enumerable.Range(0, 4000).Select(i => SyntheticAtlas.FirstEdition.SampleTraining((ulong)i))];

        // Pairs of clips that differ in nothing else are as many times as often.
        Assert.InRange(Odds(drawn, clip => clip.Motion == Motion.Bounces) / Odds(chance, clip => clip.Motion == Motion.Bounces), 3.2, 4.8);
        Assert.InRange(Odds(drawn, clip => clip.Subject.Name == "rocket") / Odds(chance, clip => clip.Subject.Name == "rocket"), 2.4, 3.6);
        Assert.InRange(Odds(drawn, clip => clip.Scene.Name == "desert") / Odds(chance, clip => clip.Scene.Name == "desert"), 0.18, 0.34);
        Assert.DoesNotContain(drawn, HeldOutPairs.Contains);

        // And the trainer draws them so: other captions come of the same number of clips.
        using (IFlowBatches batches = FlowBatches.Open(config, SyntheticAtlas.FirstEdition, null, float32, _ => { }, default))
        {
            string[] captions = [.. Enumerable.Range(0, 60).SelectMany(step => batches.Draw(step).Captions).Where(caption => caption.Length > 0)];
            Assert.InRange((double)captions.Count(caption => caption.Contains("bounc", StringComparison.Ordinal) || caption.Contains("hop", StringComparison.Ordinal)) / captions.Length, 0.32, 0.6);
        }

        // Latents of other clips are not taken for these.
        var exception = Assert.Throws<SoraException>(() => FlowBatches.Open(plain, SyntheticAtlas.FirstEdition, null, float32, _ => { }, default));
        Assert.EndsWith("holds the latents of other clips: of another seed, world, emphasis, frame rate or autoencoder. Delete it, or name another run_folder.", exception.Message, StringComparison.Ordinal);
        // Nor of the same that face another way.
        World turned = SyntheticAtlas.World(SyntheticAtlas.FirstEdition.Config with { MirroredShare = 1 });
        exception = Assert.Throws<SoraException>(() => FlowBatches.Open(config, turned, null, float32, _ => { }, default));
        Assert.Contains("holds the latents of other clips", exception.Message, StringComparison.Ordinal);

        static double Odds(ClipDescription[] clips, Func<ClipDescription, bool> isOne) => clips.Count(isOne) / (double)clips.Count(clip => !isOne(clip));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void WordsAreLeftOutOneByOne(bool packed)
    {
        using DisposeScope scope = NewDisposeScope();
        FlowTrainingConfig config = TinyTraining.Flow(_folder, 2) with { ValidationSteps = 0, Shapes = packed ? new() { LeastArea = 256, MostArea = 1024, MostFrames = 5 } : null };
        Directory.CreateDirectory(config.RunFolder);
        string[] whole = Captions(config), thinned = Captions(config with { WordDropout = 0.4 });

        Assert.Equal(whole.Length, thinned.Length);
        Assert.All(whole.Zip(thinned), pair => Assert.True(IsPart(pair.Second.Split(' ', StringSplitOptions.RemoveEmptyEntries), pair.First.Split(' '))));
        double kept = (double)thinned.Sum(Words) / whole.Sum(Words);
        Assert.InRange(kept, 0.5, 0.7);
        // Each clip's draw is its own.
        Assert.True(whole.Zip(thinned).Select(pair => Words(pair.First) - Words(pair.Second)).Distinct().Count() > 3);

        string[] Captions(FlowTrainingConfig config)
        {
            using IFlowBatches batches = FlowBatches.Open(config, SyntheticAtlas.FirstEdition, null, float32, _ => { }, default);
            return [.. Enumerable.Range(0, 40).SelectMany(step => batches.Draw(step).Captions)];
        }

        static int Words(string caption) => caption.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length;

        static bool IsPart(string[] part, string[] of)
        {
            int found = 0;
            foreach (string word in of)
                found += found < part.Length && part[found] == word ? 1 : 0;
            return found == part.Length;
        }
    }

    [Theory]
    [InlineData("bounce", 2, false, "emphasis names 'bounce', which is no subject, scene or motion of this world; nearest: bounces; known: dog, ")]
    [InlineData("dog", 0, false, "emphasis of dog 0 is out of range; allowed: 0.01 to 100, nearest: 0.01.")]
    [InlineData("dog", 2, true, "emphasis is for clips of one shape: leave out shapes and data.folder, or emphasis.")]
    public void AnEmphasisThatCannotBeGivenIsRefused(string name, double weight, bool shapes, string message)
    {
        FlowTrainingConfig config = TinyTraining.Flow(_folder, 2) with { Emphasis = new Dictionary<string, double> { [name] = weight }, Shapes = shapes ? new() : null };
        var exception = Assert.Throws<SoraException>(() => new FlowTrainer(config, SyntheticAtlas.FirstEdition, float32, _ => { }, CancellationToken.None));
        Assert.StartsWith(message, exception.Message, StringComparison.Ordinal);
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
