using System.Text.Json;
using Sora.Training;
using Sora.Transformer;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Weights;

/// <summary>The published models as data, against the descriptions of their checkpoints.</summary>
public class PublishedModelTests
{
    public static TheoryData<string, string, string> Networks
    {
        get
        {
            var networks = new TheoryData<string, string, string>();
            foreach (PublishedModel model in PublishedModel.All.Where(model => model.Name != "pocket"))
            {
                networks.Add(model.Name, "transformer", $"{model.Name}__transformer");
                networks.Add(model.Name, "vae", model.Name == "wan2.2-ti2v-5b" ? "wan2.2-ti2v-5b__vae" : "wan2.1__vae");
                networks.Add(model.Name, "text_encoder", "umt5-xxl__text_encoder");
                if (model.ImageEncoder is not null)
                    networks.Add(model.Name, "image_encoder", "clip-vit-h-14__image_encoder");
            }
            return networks;
        }
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void EveryParameterOfEveryModelIsAsPublished(string name, string part, string list)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(TestWeights.Fixture("checkpoints", list + ".json")));
        string published = document.RootElement.GetProperty("config").GetRawText();
        PublishedModel model = PublishedModel.Find(name);
        (ModelConfig config, ModelConfig expected) = part switch
        {
            "transformer" => ((ModelConfig)model.Transformer, (ModelConfig)WanTransformerConfig.Parse(published)),
            "vae" => (model.Vae, AutoencoderKLWanConfig.Parse(published)),
            "text_encoder" => (model.TextEncoder, UMT5Config.Parse(published)),
            _ => (model.ImageEncoder!, ClipVisionConfig.Parse(published)),
        };
        Assert.Equal(expected, config);

        IReadOnlyList<NetworkParameter> parameters = ParameterList.Of(config);
        Assert.Equal(
            document.RootElement.GetProperty("parameters").EnumerateObject()
                .Select(parameter => $"{parameter.Name} [{string.Join(", ", parameter.Value.EnumerateArray().Select(size => size.GetInt64()))}]").Order(StringComparer.Ordinal),
            parameters.Select(parameter => $"{parameter.Name} [{string.Join(", ", parameter.Shape)}]").Order(StringComparer.Ordinal));
        Assert.Equal(document.RootElement.GetProperty("parameter_count").GetInt64(), parameters.Sum(parameter => parameter.Count));
    }

    [Fact]
    public void ThePocketModelIsTheOneInTheRepository()
    {
        var pocket = PublishedModel.Find("pocket");
        ModelFolder folder = ModelFolder.Open(Repository("models", "pocket"));
        Assert.Equal(folder.Transformer, pocket.Transformer);
        Assert.Equal(folder.TextEncoder, pocket.TextEncoder);
        Assert.Equal(folder.Vae with { LatentsMean = pocket.Vae.LatentsMean, LatentsStd = pocket.Vae.LatentsStd }, pocket.Vae);
        Assert.Equal(folder.Defaults with { FewSteps = null }, pocket.Defaults);
        Assert.Equal(folder.Scheduler.Prediction, pocket.Prediction);
    }

    [Fact]
    public void ThePocketModelIsOfItsRecipeAndSmall()
    {
        TrainingFile recipe = TrainingFile.Load(Repository("models", "pocket-tilted.json"));
        Assert.Equal(recipe.Flow!.Transformer, WanTransformerConfig.Load(Repository("models", "pocket", "transformer", "config.json")));
        // A part that began at zero has been learned.
        using var source = new CheckpointParameters(Repository("models", "pocket", "transformer"), float32, CPU);
        using var network = new DiffusionTransformer(recipe.Flow.Transformer, source);
        Assert.InRange(network.Parameters["texture_embedding.samples.code.weight"].abs().max().item<float>(), 0.01, 1);
        Assert.InRange(Directory.EnumerateFiles(Repository("models", "pocket"), "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length), 20_000_000, 32_000_000);
    }

    [Fact]
    public void ModelsAreRecognisedByTheirDimensions()
    {
        foreach (PublishedModel model in PublishedModel.All)
            Assert.Equal(model, PublishedModel.Of(model.Transformer, model.BoundaryRatio is not null));
        Assert.Null(PublishedModel.Of(PublishedModel.Find("pocket").Transformer with { NumLayers = 9 }, twoExperts: false));
    }

    [Fact]
    public void AnUnknownNameIsAnsweredWithTheNearest() =>
        Assert.EndsWith("nearest: wan2.1-t2v-14b.", Assert.Throws<SoraException>(() => PublishedModel.Find("wan2.1-t2v-14")).Message, StringComparison.Ordinal);

    [Fact]
    public void TheIndexOfEachModelIsTheOnePublished()
    {
        Assert.Equal(ModelIndex.Load(TestWeights.Fixture("configs", "ti2v_model_index.json")), PublishedModel.Find("wan2.2-ti2v-5b").Index);
        Assert.Equal(ModelIndex.Load(TestWeights.Fixture("configs", "a14b_model_index.json")), PublishedModel.Find("wan2.2-t2v-a14b").Index);
        Assert.Equal(ModelIndex.Load(TestWeights.Fixture("configs", "i2v_model_index.json")), PublishedModel.Find("wan2.1-i2v-14b").Index);
    }

    private static string Repository(params string[] parts)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Sora.sln")))
                return Path.Combine([folder.FullName, .. parts]);
        throw new DirectoryNotFoundException("There is no Sora.sln above the tests.");
    }
}
