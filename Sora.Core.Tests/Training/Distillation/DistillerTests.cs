using System.Globalization;
using Sora.Tests.Engine;
using Sora.Tests.Generation;
using Sora.Tests.Training.SpriteWorld;
using Sora.Tests.Weights;
using Sora.Training;
using Sora.Training.Distillation;
using Sora.Training.FineTuning;
using Sora.Training.SpriteWorld;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Training.Distillation;

[Collection(LiveTensors.Name)]
public sealed class DistillerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task TwoStepsComeNearerToTheTeachersMany()
    {
        long before = LiveTensors.Count();
        DistillationConfig config = Lora("nearer") with { Steps = 200, Videos = 40, ValidationVideos = 6 };
        var log = new List<string>();
        using (Distiller distiller = Distiller(config, log))
        {
            double first = Distance(distiller);
            distiller.Run(log.Add, default);
            double last = Distance(distiller);
            Assert.True(last < 0.7 * first, $"the distance was {first} and is {last}");
        }
        Assert.Equal(before, LiveTensors.Count());
        Assert.Contains(log, line => line.EndsWith("made for --sampler euler-trailing --steps 2 --guidance 1 --shift 3", StringComparison.Ordinal));

        // From the outside, with seeds and words that were not learned from.
        var many = new VideoRequest("a green car falls in the desert") { Width = 16, Height = 16, FrameCount = 5, Steps = 8, GuidanceScale = 4, Sampler = Sampler.UniPC };
        VideoRequest few = many with { Steps = 2, GuidanceScale = 1, Sampler = Sampler.EulerTrailing };
        using VideoGenerator generator = await TinyModel.LoadAsync();
        double plain = 0, taught = 0;
        for (long seed = 1; seed <= 4; seed++)
        {
            byte[] goal = await Pixels.OfAsync(generator, many with { Seed = seed });
            plain += Difference(goal, await Pixels.OfAsync(generator, few with { Seed = seed }));
            await generator.SetLorasAsync([new LoraFile(config.Output)]);
            taught += Difference(goal, await Pixels.OfAsync(generator, few with { Seed = seed }));
            await generator.SetLorasAsync([]);
        }
        Assert.True(taught < 0.85 * plain, $"without {plain}, with {taught}");
    }

    [Fact]
    public void AnInterruptedOneGoesOnAndKeepsTheTeachersVideos()
    {
        DistillationConfig straight = Lora("straight") with { Steps = 4, Videos = 12, VideosPerStep = 1 }, broken = straight with { RunFolder = _folder.File("broken-run"), Output = _folder.File("broken.safetensors") };
        using (Distiller distiller = Distiller(straight))
            distiller.Run(_ => { }, default);

        // First while the teacher is at work, then in the middle of the training.
        var log = new List<string>();
        using (var stop = new CancellationTokenSource())
        {
            Assert.Throws<OperationCanceledException>(() => new Distiller(
                broken, SyntheticAtlas.FirstEdition, float32,
                line =>
                {
                    if (line == "made 10 of 14 videos")
                        stop.Cancel();
                },
                stop.Token));
        }
        using (var stop = new CancellationTokenSource())
        using (Distiller distiller = Distiller(broken, log))
        {
            Assert.Contains(log, line => line.StartsWith("making 4 videos", StringComparison.Ordinal));
            log.Clear();
            distiller.StepDone = steps =>
            {
                if (steps == 2)
                    stop.Cancel();
            };
            Assert.Throws<OperationCanceledException>(() => distiller.Run(_ => { }, stop.Token));
        }
        using (Distiller distiller = Distiller(broken, log))
            distiller.Run(_ => { }, default);
        Assert.DoesNotContain(log, line => line.StartsWith("making", StringComparison.Ordinal));
        Assert.Equal(File.ReadAllBytes(straight.Output), File.ReadAllBytes(broken.Output));

        // Another training's checkpoint is refused; without it other videos are made where what they depend on differs.
        Assert.Contains("guidance_scale was 4 and is 2", Refusal(broken with { GuidanceScale = 2 }), StringComparison.Ordinal);
        Assert.Contains("world", Assert.Throws<SoraException>(() => new Distiller(broken, SyntheticAtlas.World(SpriteWorldConfig.FirstEdition with { Seconds = 3 }), float32, _ => { }, default)).Message, StringComparison.Ordinal);
        File.Delete(Path.Combine(broken.RunFolder, "distill-state.safetensors"));
        using (Distiller distiller = Distiller(broken with { GuidanceScale = 2 }, log)) { }
        Assert.Contains(log, line => line.StartsWith("making 14 videos in 8 steps", StringComparison.Ordinal));
    }

    [Fact]
    public void WhatDoesNotShowItsPromptIsTriedWithOtherNoise()
    {
        // Of two subjects a video of noise shows the one or the other.
        SpriteWorldConfig known = SpriteWorldConfig.FirstEdition;
        World world = SyntheticAtlas.World(known with { Subjects = [.. known.Subjects.Take(2)], Scenes = [.. known.Scenes.Take(1)], Motions = [Motion.Rests], Colours = [SubjectColour.Own] });
        DistillationConfig once = Lora("once") with { Videos = 24, VideosPerStep = 5, TeacherSteps = 4, Seed = 7 };
        long tensors = LiveTensors.Count();
        string[] prompts = [.. Enumerable.Range(0, 24).Select(video => $"a {known.Subjects[video % 2].Name} rests")];
        var log = new List<string>();
        using TeacherVideos first = Made(once, null);
        using TeacherVideos chosen = Made(once with { Tries = 3, RunFolder = _folder.File("chosen-run") }, world);
        Assert.Equal(tensors, LiveTensors.Count());
        using var judge = new TeacherJudge(ModelFolder.Open(TinyModel.Folder), world, float32, CPU);
        int kept = 0, better = 0, unshown = 0;
        for (int video = 0; video < prompts.Length; video++)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor before = first.Step(video, 1).After, after = chosen.Step(video, 1).After;
            // In float32 a video does not depend on its batch, but for the rounding of sums.
            bool same = (before - after).abs().max().item<float>() < 1e-3, shown = judge.Shows(after, prompts[video]);
            Assert.Equal(judge.Shows(before, prompts[video]), same);
            // The step begins with the noise that the video was made of.
            Assert.Equal(same, AreSame(first.Step(video, 0).Before, chosen.Step(video, 0).Before));
            kept += same ? 1 : 0;
            better += !same && shown ? 1 : 0;
            unshown += shown ? 0 : 1;
        }
        Assert.True(kept > 0 && better > 0, $"{kept} kept, {better} found");
        Assert.Contains($"{prompts.Length - kept} of them needed other noise; {unshown} do not show their prompts after 3 tries", log);

        // One that was stopped comes to the same.
        DistillationConfig broken = once with { Tries = 3, RunFolder = _folder.File("broken-chosen-run"), VideosPerStep = 1 };
        using (var stop = new CancellationTokenSource())
        {
            Assert.Throws<OperationCanceledException>(() => Made(broken, world, line =>
            {
                if (line.StartsWith("made ", StringComparison.Ordinal))
                    stop.Cancel();
            }, stop.Token));
        }
        using TeacherVideos resumed = Made(broken, world);
        Assert.All(Enumerable.Range(0, prompts.Length), video => Assert.True(AreSame(resumed.Step(video, 0).Before, chosen.Step(video, 0).Before)));

        // A second run finds what the first chose.
        log.Clear();
        using TeacherVideos again = Made(once with { Tries = 3, RunFolder = _folder.File("chosen-run") }, world);
        Assert.Empty(log);
        Assert.All(Enumerable.Range(0, prompts.Length), video => Assert.True(
            AreSame(again.Step(video, 0).Before, chosen.Step(video, 0).Before) && AreSame(again.Step(video, 1).After, chosen.Step(video, 1).After)));

        TeacherVideos Made(DistillationConfig config, World? judged, Action<string>? told = null, CancellationToken cancellationToken = default) =>
            Videos(config, prompts, judged, told ?? log.Add, cancellationToken);
    }

    [Fact]
    public void TheTeacherIsMovedAwayFromAWeakerModel()
    {
        string weaker = _folder.File("weaker");
        TinyModel.Create(weaker, TinyModel.Transformer with { NumLayers = 1 });
        long tensors = LiveTensors.Count();
        DistillationConfig config = Lora("alone") with { Videos = 3, VideosPerStep = 2 };
        string[] prompts = ["a dog rests", "a red fish swims left", "a ball"];
        var log = new List<string>();
        using TeacherVideos alone = Made(config, "alone");
        using TeacherVideos same = Made(config with { WeakerModel = TinyModel.Folder }, "same"), not = Made(config with { WeakerModel = weaker, WeakerScale = 1 }, "not");
        using TeacherVideos some = Made(config with { WeakerModel = weaker, WeakerScale = 1.01f }, "some"), twice = Made(config with { WeakerModel = weaker, WeakerScale = 1.02f }, "twice");
        Assert.Equal(tensors, LiveTensors.Count());
        for (int video = 0; video < prompts.Length; video++)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor end = End(alone, video);
            // Away from itself, or by nothing, is where it was.
            Assert.InRange(RandomTensor.Distance(End(same, video), end), 0, 1e-3);
            Assert.InRange(RandomTensor.Distance(End(not, video), end), 0, 1e-3);
            Tensor once = End(some, video) - end, two = End(twice, video) - end;
            Assert.InRange(once.abs().mean().item<float>(), 1e-3, 1);
            // A little further goes a little further on the same way.
            Assert.InRange((two - (once * 2)).abs().mean().item<float>() / once.abs().mean().item<float>(), 0, 0.1);
        }

        // Videos are made again for another scale and found again for the same.
        log.Clear();
        using (TeacherVideos found = Made(config with { WeakerModel = weaker, WeakerScale = 1.02f }, "twice"))
            Assert.Empty(log);
        using (TeacherVideos other = Made(config with { WeakerModel = weaker }, "twice"))
            Assert.Contains("making 3 videos in 8 steps each", log);
        // And for another model, wherever it lies.
        string moved = _folder.File("moved");
        Directory.Move(weaker, moved);
        log.Clear();
        using (TeacherVideos found = Made(config with { WeakerModel = moved }, "twice"))
            Assert.Empty(log);
        UMT5Config encoder = UMT5Config.Load(Path.Combine(moved, "text_encoder", "config.json"));
        (encoder with { LayerNormEpsilon = 1e-3 }).Save(Path.Combine(moved, "text_encoder", "config.json"));
        using (TeacherVideos other = Made(config with { WeakerModel = moved }, "twice"))
            Assert.Contains("making 3 videos in 8 steps each", log);

        static Tensor End(TeacherVideos videos, int video) => videos.Step(video, 1).After;

        TeacherVideos Made(DistillationConfig one, string name) => Videos(one with { RunFolder = _folder.File($"{name}-videos") }, prompts, null, log.Add);
    }

    [Fact]
    public void AWeakerModelOfOtherLatentsIsNamed()
    {
        string other = _folder.File("other"), two = _folder.File("two-experts");
        TinyModel.Create(other);
        TinyModel.Create(two, twoExperts: true);
        new SchedulerConfig { ClassName = SchedulerConfig.UniPC, Shift = 3, PredictionType = "preconditioned_flow" }.Save(Path.Combine(other, "scheduler", "scheduler_config.json"));
        string refusal = $"weaker_model {{0}} has other latents or patches than {TinyModel.Folder}; nearest: an earlier state of the same training.";
        Assert.Equal(string.Format(CultureInfo.InvariantCulture, refusal, other), Refusal(Lora("latents") with { WeakerModel = other }));
        string scaled = _folder.File("scaled"), patches = _folder.File("patches");
        TinyModel.CopyTo(scaled);
        (TinyModel.Vae with { LatentsMean = [0, 0.2, -0.3, 0] }).Save(Path.Combine(scaled, "vae", "config.json"));
        Assert.Equal(string.Format(CultureInfo.InvariantCulture, refusal, scaled), Refusal(Lora("vae") with { WeakerModel = scaled }));
        TinyModel.Create(patches, TinyModel.Transformer with { PatchSize = [1, 1, 1] });
        Assert.Equal(string.Format(CultureInfo.InvariantCulture, refusal, patches), Refusal(Lora("patches") with { WeakerModel = patches }));
        Assert.Equal("weaker_scale is 2 and there is no weaker_model; nearest: both or neither.", Refusal(Lora("alone") with { WeakerScale = 2 }));
        Assert.Equal($"weaker_model {two} has two transformers; nearest: an earlier state of {TinyModel.Folder}.", Refusal(Lora("experts") with { WeakerModel = two }));
        Assert.Contains("weaker_scale 0.5 is out of range", Assert.Throws<SoraException>(() => Lora("scale") with { WeakerScale = 0.5f }).Message, StringComparison.Ordinal);
        Assert.Contains("none", Refusal(Lora("none") with { WeakerModel = _folder.File("none") }), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AllWeightsBecomeAModelWhoseDefaultsAreTheFewSteps()
    {
        string prompts = _folder.File("prompts.txt");
        File.WriteAllText(prompts, "a red ball rises\n\n  a dog rests  \n");
        DistillationConfig config = Lora("whole") with { Lora = null, Output = _folder.File("model"), Prompts = prompts, Shift = 5, Steps = 3 };
        using (var distiller = new Distiller(config, null, float32, _ => { }, default))
            distiller.Run(_ => { }, default);
        ModelFolder model = ModelFolder.Open(config.Output);
        Assert.Equal((2, 1f, 5f, Sampler.EulerTrailing), (model.Defaults.Steps, model.Defaults.GuidanceScale, model.Defaults.Shift, model.Defaults.Sampler));
        using VideoGenerator taught = await TinyModel.LoadAsync(config.Output), plain = await TinyModel.LoadAsync();
        var request = new VideoRequest("a dog rests") { Seed = 1, Steps = 2, GuidanceScale = 1, Shift = 5, Sampler = Sampler.EulerTrailing };
        Assert.Equal(await Pixels.OfAsync(taught, request), await Pixels.OfAsync(taught, new VideoRequest("a dog rests") { Seed = 1 }));
        Assert.NotEqual(await Pixels.OfAsync(plain, request), await Pixels.OfAsync(taught, request));
    }

    [Fact]
    public void WhatCannotBeDistilledIsNamed()
    {
        Assert.Equal("teacher_steps 9 is not allowed with few_steps 4: a larger multiple of it; nearest: 8.", Refusal(Lora("a") with { FewSteps = 4, TeacherSteps = 9 }));
        Assert.Equal("teacher_steps 4 is not allowed with few_steps 4: a larger multiple of it; nearest: 8.", Refusal(Lora("b") with { FewSteps = 4, TeacherSteps = 4 }));
        Assert.Contains("nearest: style.safetensors", Refusal(Lora("c") with { Output = "style" }), StringComparison.Ordinal);
        TinyModel.Create(_folder.File("two"), twoExperts: true);
        Assert.EndsWith("has two transformers; models with one can be distilled.", Refusal(Lora("d") with { Model = _folder.File("two") }), StringComparison.Ordinal);
        Assert.Contains("multiple", Refusal(Lora("e") with { Width = 17 }), StringComparison.Ordinal);
        Assert.Contains("cannot be read", Refusal(Lora("f") with { Prompts = _folder.File("none.txt") }), StringComparison.Ordinal);
        File.WriteAllText(_folder.File("some.txt"), "a dog rests");
        Assert.EndsWith("nearest: tries 1, or no prompts.", Refusal(Lora("h") with { Prompts = _folder.File("some.txt"), Tries = 3 }), StringComparison.Ordinal);
        Assert.EndsWith("nearest: no emphasis, or no prompts.", Refusal(Lora("j") with { Prompts = _folder.File("some.txt"), Emphasis = new Dictionary<string, double> { ["rests"] = 2 } }), StringComparison.Ordinal);
        Assert.Contains("nearest: rests", Refusal(Lora("k") with { Emphasis = new Dictionary<string, double> { ["rest"] = 2 } }), StringComparison.Ordinal);
        Assert.EndsWith("and these have one frame; nearest: tries 1, or frame_count 5.", Refusal(Lora("i") with { FrameCount = 1, Tries = 2 }), StringComparison.Ordinal);
        File.WriteAllText(_folder.File("empty.txt"), "\n \n");
        Assert.Contains("holds no prompts", Refusal(Lora("g") with { Prompts = _folder.File("empty.txt") }), StringComparison.Ordinal);
        Assert.Contains("few_steps 0 is out of range", Assert.Throws<SoraException>(() => new DistillationConfig { Model = "m", RunFolder = "r", Output = "o", FewSteps = 0 }).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CaptionsOfTheDrawnWorldAreDrawnMoreOftenByTheirWeight()
    {
        DistillationConfig config = Lora("weights") with { Videos = 60 };
        Assert.InRange(Dogs(config), 1, 20);
        Assert.InRange(Dogs(config with { Emphasis = new Dictionary<string, double> { ["dog"] = 100 } }), 50, 62);

        // Those that are kept apart are as chance has them.
        DistillationConfig apart = config with { Videos = 1, ValidationVideos = 60 };
        Assert.InRange(Dogs(apart with { Emphasis = new Dictionary<string, double> { ["dog"] = 100 } }), 1, 20);

        static int Dogs(DistillationConfig config) => Sora.Training.Distillation.Distiller.PromptsOf(config, SyntheticAtlas.FirstEdition).Count(prompt => CaptionParser.Parse(prompt).Subject!.Name == "dog");
    }

    [Fact]
    public void AFileDescribesADistillation()
    {
        string path = _folder.File("distill.json");
        File.WriteAllText(path, """{ "kind": "distill", "model": "m", "run_folder": "runs/few", "output": "few.safetensors", "lora": { "rank": 8 }, "few_steps": 2, "teacher_steps": 40, "guidance_scale": 6, "weaker_model": "w", "weaker_scale": 2, "emphasis": { "spins": 3 } }""");
        TrainingFile file = TrainingFile.Load(path);
        Assert.Equal((8, 2, 40, 6f), (file.Distillation!.Lora!.Rank, file.Distillation.FewSteps, file.Distillation.TeacherSteps, file.Distillation.GuidanceScale));
        Assert.Equal(("w", 2f, 3.0), (file.Distillation.WeakerModel, file.Distillation.WeakerScale, file.Distillation.Emphasis!["spins"]));
        Assert.Equal(Path.Combine("runs/few", "distill-state.safetensors"), file.CheckpointPath);
        File.WriteAllText(path, """{ "kind": "distill", "model": "m", "run_folder": "r", "output": "o", "fewsteps": 2 }""");
        Assert.Contains("nearest: few_steps", Assert.Throws<SoraException>(() => TrainingFile.Load(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void InPixelsTheErrorIsAnother()
    {
        DistillationConfig latents = Lora("latents") with { Videos = 2, ValidationVideos = 1 };
        double plain, weighted;
        using (Distiller distiller = Distiller(latents))
            plain = Distance(distiller);
        var log = new List<string>();
        DistillationConfig pixels = latents with { LossSpace = LossSpace.Pixels, Steps = 30, RunFolder = _folder.File("pixels-run"), Output = _folder.File("pixels.safetensors") };
        using (Distiller distiller = Distiller(pixels, log))
        {
            weighted = Distance(distiller);
            Assert.NotEqual(plain, weighted, 1e-3);
            distiller.Run(log.Add, default);
            Assert.InRange(Distance(distiller), 0, 0.99 * weighted);
        }
        Assert.Contains(log, line => line.StartsWith("measuring how much each channel", StringComparison.Ordinal));
        // A second run reads what the first measured.
        log.Clear();
        using (Distiller distiller = Distiller(pixels, log))
            Assert.DoesNotContain(log, line => line.StartsWith("measuring", StringComparison.Ordinal));
    }

    private DistillationConfig Lora(string name) => new()
    {
        Model = TinyModel.Folder,
        RunFolder = _folder.File($"{name}-run"),
        Output = _folder.File($"{name}.safetensors"),
        Lora = new() { Rank = 8, Alpha = 8 },
        Width = 16,
        Height = 16,
        FrameCount = 5,
        FewSteps = 2,
        TeacherSteps = 8,
        GuidanceScale = 4,
        Videos = 6,
        ValidationVideos = 2,
        LearningRate = 1e-2,
        WarmupSteps = 2,
        Device = "cpu",
    };

    private static TeacherVideos Videos(DistillationConfig config, string[] prompts, World? judged, Action<string> log, CancellationToken cancellationToken = default)
    {
        var model = ModelFolder.Open(TinyModel.Folder);
        VideoRequest request = new VideoRequest("a video") { Width = 16, Height = 16, FrameCount = 5, Shift = 3, GuidanceScale = 4 }.Resolve(model.Limits);
        Directory.CreateDirectory(config.RunFolder);
        using var captions = CaptionVectors.Encode(model, prompts.Append(""), float32, CPU, _ => { }, default);
        return TeacherVideos.Open(config with { Shift = 3 }, model, request, prompts, captions, WeakerModel.FingerprintOf(config), judged, float32, CPU, log, cancellationToken);
    }

    private static bool AreSame(Tensor a, Tensor b) => a.bytes.SequenceEqual(b.bytes);

    private static Distiller Distiller(DistillationConfig config, List<string>? log = null) =>
        new(config, SyntheticAtlas.FirstEdition, float32, line => log?.Add(line), default);

    private static string Refusal(DistillationConfig config) => Assert.Throws<SoraException>(() => Distiller(config)).Message;

    private static double Distance(Distiller distiller) => ((ITrainingTask)distiller).Validate().Single(value => value.Name == "distance").Value;

    private static double Difference(byte[] a, byte[] b) => a.Zip(b, (x, y) => Math.Abs(x - y)).Average();
}
