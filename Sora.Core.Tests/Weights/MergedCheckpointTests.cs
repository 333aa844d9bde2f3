using Sora.Sampling;
using Sora.Tests.Generation;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Weights;

/// <summary>Models added up, against the sums of their tensors.</summary>
public sealed class MergedCheckpointTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task WeightsAreAddedUpAndTheRestIsTheFirsts()
    {
        string a = TinyModel.Folder, b = Scaled("b", 3), c = Scaled("c", -2), merged = _folder.File("merged");
        MergedCheckpoint.Write([(a, 1), (b, 0.5), (c, -0.5)], merged, WeightPrecision.F32);
        foreach (string part in (string[])["transformer", "text_encoder", "vae"])
        {
            using WeightStore one = ModelFolder.Open(a).OpenWeights(part), sum = ModelFolder.Open(merged).OpenWeights(part);
            // 1 + 3/2 + 2/2 in what is merged.
            double factor = part == "vae" ? 1 : 3.5;
            Assert.Equal(one.Names.Order(), sum.Names.Order());
            foreach (string name in one.Names)
            {
                using DisposeScope scope = NewDisposeScope();
                Tensor expected = one.Read(name, float32, CPU) * factor;
                Assert.True((sum.Read(name, float32, CPU) - expected).abs().max().item<float>() <= 1e-5 * Math.Max(1, expected.abs().max().item<float>()), name);
            }
        }
        using VideoGenerator generator = await TinyModel.LoadAsync(merged);
        Assert.NotEmpty(await Pixels.OfAsync(generator, new VideoRequest("a dog") { Seed = 1 }));
    }

    [Fact]
    public void ModelsThatDoNotFitTogetherAreNamed()
    {
        string a = TinyModel.Folder;
        TinyModel.CopyTo(_folder.File("other"));
        string path = Path.Combine(_folder.File("other"), "scheduler", "scheduler_config.json");
        (SchedulerConfig.Load(path) with { Prediction = FlowPrediction.Preconditioned }).Save(path);
        Assert.Contains("different predictions", Refusal((a, 0.5), (_folder.File("other"), 0.5)), StringComparison.Ordinal);
        TinyModel.Create(_folder.File("deeper"), TinyModel.Transformer with { NumLayers = 3 });
        Assert.Contains("different transformers", Refusal((a, 0.5), (_folder.File("deeper"), 0.5)), StringComparison.Ordinal);
        Assert.Contains("1 model is not enough", Refusal((a, 1)), StringComparison.Ordinal);
        Assert.Contains("The factors 0.5, 0.6 sum to 1.1; they must sum to 1", Refusal((a, 0.5), (a, 0.6)), StringComparison.Ordinal);
        Assert.Contains("sum to NaN", Refusal((a, double.NaN), (a, 0.6)), StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.File("none")));
    }

    private string Refusal(params (string, double)[] models) =>
        Assert.Throws<SoraException>(() => MergedCheckpoint.Write(models, _folder.File("none"), WeightPrecision.BF16)).Message;

    // The tiny model with every number of what is merged times a factor.
    private string Scaled(string name, float factor)
    {
        string folder = _folder.File(name);
        ModelFolder model = ModelFolder.Open(TinyModel.Folder);
        ConvertedCheckpoint.Write(
            model, part => part == "vae" ? model.OpenWeights(part) : new MergedStore([(model.OpenWeights(part), factor)]), folder, WeightPrecision.F32, default);
        return folder;
    }
}
