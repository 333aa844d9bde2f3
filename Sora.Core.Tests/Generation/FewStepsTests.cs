using Sora.Tests.Weights;
using Sora.Training.Distillation;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Generation;

/// <summary>The LoRA that a model's folder brings for a few steps.</summary>
public sealed class FewStepsTests : IDisposable
{
    private static readonly VideoRequest Fish = new("a red fish swims left") { Seed = 42 };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task FourUnguidedStepsOfThePocketModelComeNearerToTwentyGuidedOnesThanWithoutItsLora()
    {
        using VideoGenerator taught = await VideoGenerator.LoadAsync(PocketModel.Folder, new() { Device = "cpu", Threads = 1 });
        using VideoGenerator plain = await VideoGenerator.LoadAsync(PocketModel.Folder, new() { Device = "cpu", Threads = 1, FewSteps = false });
        Assert.Equal((4, 1f, Sampler.EulerTrailing), (taught.Limits.Steps, taught.Limits.GuidanceScale, taught.Limits.Sampler));
        Assert.Equal((20, 2f, Sampler.UniPC), (plain.Limits.Steps, plain.Limits.GuidanceScale, plain.Limits.Sampler));
        // Two of sixteen prompts over which it is 7 % on average (docs/pocket-model.md), of those where it is most.
        VideoRequest[] requests = [new("a green rabbit grows on a city street") { Seed = 9 }, new("a dog shrinks in starry space") { Seed = 10 }];
        byte[][] goal = await FramesAsync(plain, requests), with = await FramesAsync(taught, requests);
        byte[][] without = await FramesAsync(plain, [.. requests.Select(request => request with { Sampler = Sampler.EulerTrailing, Steps = 4, GuidanceScale = 1 })]);

        double near = Distance(goal, with), far = Distance(goal, without);
        Assert.True(near < 0.95 * far, $"with the LoRA the frames are {near:F2} of 255 away, without {far:F2}");
    }

    [Fact]
    public async Task TheyAreTheDefaultOfAModelThatBringsThem()
    {
        string model = Model("few");
        LoraFile own = new(Path.Combine(model, "few.safetensors")), style = new(TestLora.Write(_folder.File("style.safetensors"), TestLora.ForBlocks(TinyModel.Transformer, 3)), 0.5f);
        VideoRequest few = Fish with { Steps = 2, GuidanceScale = 1.5f, Sampler = Sampler.Euler };
        using VideoGenerator plain = await TinyModel.LoadAsync(), taught = await TinyModel.LoadAsync(model), off = await LoadAsync(model, false);
        byte[] without = await Pixels.OfAsync(plain, Fish);
        await plain.SetLorasAsync([own]);
        byte[] with = await Pixels.OfAsync(plain, few);

        Assert.Equal((2, 1.5f, Sampler.Euler, 3f), (taught.Limits.Steps, taught.Limits.GuidanceScale, taught.Limits.Sampler, taught.Limits.Shift));
        Assert.Equal(taught.Limits, VideoGenerator.ReadLimits(model));
        Assert.Equal(with, await Pixels.OfAsync(taught, Fish));
        Assert.Equal(off.Limits, VideoGenerator.ReadLimits(model, fewSteps: false));
        Assert.Equal(without, await Pixels.OfAsync(off, Fish));

        // Other LoRAs are added, and taken away again.
        await plain.SetLorasAsync([own, style]);
        await taught.SetLorasAsync([style]);
        Assert.Equal(await Pixels.OfAsync(plain, few), await Pixels.OfAsync(taught, Fish));
        await taught.SetLorasAsync([]);
        Assert.Equal(with, await Pixels.OfAsync(taught, Fish));

        // The record tells them, and another LoRA is another model.
        Assert.True(taught.RecordOf(Fish).FewSteps);
        Assert.Empty(taught.RecordOf(Fish).Loras);
        Assert.False(off.RecordOf(Fish).FewSteps);
        Assert.NotEqual(taught.RecordOf(Fish).ModelFingerprint, off.RecordOf(Fish).ModelFingerprint);
        // Without it the model is the one that it was before its folder brought one; and so are the files that were made then.
        Assert.Equal(plain.RecordOf(Fish).ModelFingerprint, off.RecordOf(Fish).ModelFingerprint);
        string another = Model("another");
        File.Copy(style.Path, Path.Combine(another, "few.safetensors"), overwrite: true);
        using VideoGenerator other = await LoadAsync(another, true);
        Assert.NotEqual(taught.RecordOf(Fish).ModelFingerprint, other.RecordOf(Fish).ModelFingerprint);
    }

    [Fact]
    public async Task WhatCannotBeUsedIsNamed()
    {
        Assert.EndsWith("sora.json names no LoRA under few_steps; nearest: without them.", await RefusalAsync(TinyModel.Folder, true), StringComparison.Ordinal);
        string model = Model("few");
        File.Delete(Path.Combine(model, "few.safetensors"));
        Assert.EndsWith("few.safetensors is missing, which sora.json names under few_steps; nearest: run the model without few steps.", await RefusalAsync(model, null), StringComparison.Ordinal);
        using (await LoadAsync(model, false)) { }
        Assert.Contains("few.safetensors is missing", ModelInspection.Of(model).Problem, StringComparison.Ordinal);
        foreach ((string fields, string message) in ((string, string)[])[
            ("{}", "few_steps: lora is missing"), ("4", "few_steps is 4; allowed: an object"), ("""{"lora": "a.bin"}""", "few_steps: lora is 'a.bin'; allowed: a .safetensors file"),
            ("""{"lora": "../other.safetensors"}""", "few_steps: lora is '../other.safetensors'; allowed: a .safetensors file within the model's folder"),
            ("""{"lora": "/tmp/other.safetensors"}""", "few_steps: lora is '/tmp/other.safetensors'"), ("""{"lora": "a.safetensors", "steps": 0}""", "few_steps: steps 0 is out of range"),
            ("""{"lora": "a.safetensors", "sampler": "eulre"}""", "nearest: euler")])
        {
            string refusal = Assert.Throws<SoraException>(() => RequestDefaults.Parse($$"""{"few_steps": {{fields}}}""")).Message;
            Assert.Contains(message, refusal, StringComparison.Ordinal);
        }
        Assert.Equal("few_steps.stpes", Assert.Single(RequestDefaults.Parse("""{"few_steps": {"lora": "a.safetensors", "stpes": 3}}""").UnknownFields));
        string two = _folder.File("two");
        TinyModel.Create(two, defaults: TinyModel.Defaults with { FewSteps = new() { Lora = "a.safetensors" } }, twoExperts: true);
        Assert.Contains("few_steps is for models with one transformer", await RefusalAsync(two, false), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AConvertedModelKeepsThemAndOneOfOtherWeightsDoesNot()
    {
        string model = Model("few", "adapters/few.safetensors"), converted = _folder.File("converted"), trained = _folder.File("trained");
        ConvertedCheckpoint.Write(model, converted, WeightPrecision.F32);
        using (VideoGenerator before = await TinyModel.LoadAsync(model), after = await TinyModel.LoadAsync(converted))
            Assert.Equal(await Pixels.OfAsync(before, Fish), await Pixels.OfAsync(after, Fish));

        File.WriteAllText(_folder.File("prompts.txt"), "a dog rests");
        using (var distiller = new Distiller(
            new() { Model = model, RunFolder = _folder.File("run"), Output = trained, Prompts = _folder.File("prompts.txt"), FewSteps = 1, TeacherSteps = 2, Videos = 1, VideosPerStep = 1, Steps = 1, ValidationVideos = 1, Device = "cpu" },
            null, float32, _ => { }, default))
            distiller.Run(_ => { }, default);
        ModelFolder result = ModelFolder.Open(trained);
        Assert.Null(result.Defaults.FewSteps);
        Assert.Equal((1, Sampler.EulerTrailing), (result.Limits.Steps, result.Limits.Sampler));

        MergedCheckpoint.Write([(model, 0.5), (converted, 0.5)], _folder.File("merged"), WeightPrecision.F32);
        Assert.Null(ModelFolder.Open(_folder.File("merged")).Defaults.FewSteps);
    }

    private string Model(string name, string lora = "few.safetensors")
    {
        string model = _folder.File(name);
        TinyModel.CopyTo(model);
        var few = new FewStepDefaults { Lora = lora, Steps = 2, GuidanceScale = 1.5f, Sampler = Sampler.Euler };
        RequestDefaults defaults = TinyModel.Defaults with { FewSteps = few };
        Assert.Equal(defaults, RequestDefaults.Parse(defaults.ToJson()));
        defaults.Save(Path.Combine(model, RequestDefaults.FileName));
        string file = Path.Combine(model, lora);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        TestLora.Write(file, TestLora.ForBlocks(TinyModel.Transformer));
        return model;
    }

    private static Task<VideoGenerator> LoadAsync(string model, bool? fewSteps) =>
        VideoGenerator.LoadAsync(model, new() { Device = "cpu", Precision = Precision.Full, Threads = 1, FewSteps = fewSteps });

    private static async Task<string> RefusalAsync(string model, bool? fewSteps) =>
        (await Assert.ThrowsAsync<SoraException>(() => LoadAsync(model, fewSteps))).Message;

    private static async Task<byte[][]> FramesAsync(VideoGenerator generator, VideoRequest[] requests)
    {
        var videos = new List<byte[]>();
        foreach (VideoRequest request in requests)
            videos.Add(await Pixels.OfAsync(generator, request));
        return [.. videos];
    }

    private static double Distance(byte[][] goal, byte[][] videos) =>
        goal.Zip(videos, (a, b) => a.Zip(b, (x, y) => (double)Math.Abs(x - y)).Average()).Average();
}
