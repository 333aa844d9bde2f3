using Sora.Frames;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Weights;

public sealed class ModelFolderTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void APublishedPipelineOpens()
    {
        string path = TestWeights.Fixture("G_pipeline_t2v");
        var model = ModelFolder.Open(path);
        Assert.Equal((4, 24, 492), (model.Vae.ZDim, model.Transformer.TextDim, model.TextEncoder.VocabSize));
        Assert.Equal((16, 4), (model.SpatialStride, model.TemporalStride));
        Assert.Equal((512, 3f), (model.Tokenizer.ModelMaxLength, model.Defaults.Shift));
        Assert.Empty(model.UnknownFields);
        Assert.True(File.Exists(model.SentencePiecePath));
        using WeightFiles weights = WeightFiles.Open(model.TransformerPath);
        Assert.Equal([32, 4, 1, 2, 2], weights.Require("patch_embedding.weight").Shape);
        Assert.Equal(2, weights.Paths.Count);
    }

    [Fact]
    public void AWrittenFolderOpens()
    {
        TestModel.WriteTo(folder);
        var model = ModelFolder.Open(folder.Path);
        Assert.Equal(TestModel.Transformer, model.Transformer);
        Assert.Equal(TestModel.Vae, model.Vae);
        Assert.Equal(TestModel.TextEncoder, model.TextEncoder);
        Assert.Equal(TestModel.Scheduler, model.Scheduler);
        Assert.Null(model.Transformer2Path);
        Assert.Null(model.ImageEncoderPath);
        Assert.Equal((832, 480, 81, 16, 50), (model.Limits.Width, model.Limits.Height, model.Limits.FrameCount, model.Limits.FramesPerSecond, model.Limits.Steps));
        Assert.Equal((5f, Sampler.UniPC, 512, 16), (model.Limits.GuidanceScale, model.Limits.Sampler, model.Limits.MaximumTokens, model.Limits.SpatialStride));
        Assert.False(model.Defaults.PerTokenTime);
    }

    [Fact]
    public void TwoTransformersOpen()
    {
        TestModel.WriteTo(folder, TwoTransformers());
        var model = ModelFolder.Open(folder.Path);
        Assert.Equal(TestModel.Transformer, model.Transformer2);
        Assert.Equal(folder.File("transformer_2"), model.Transformer2Path);
        (TestModel.Transformer with { InChannels = 12 }).Save(folder.File("transformer_2", "config.json"));
        AssertRefused("transformer in_channels is 4, transformer_2 in_channels is 12");
    }

    [Fact]
    public void DefaultsFollowTheFileThenTheSchedulerAndTheIndex()
    {
        TestModel.WriteTo(folder, new ModelIndex { ExpandTimesteps = true });
        new SchedulerConfig { ClassName = SchedulerConfig.Euler, Shift = 7 }.Save(folder.File("scheduler", "scheduler_config.json"));
        new ModelIndex
        {
            ExpandTimesteps = true,
            Components = [.. new ModelIndex().Components.Select(part => part.Name == "scheduler" ? part with { ClassName = SchedulerConfig.Euler } : part)],
        }.Save(folder.File("model_index.json"));
        folder.Write("sora.json", """{"width": 64, "height": 48, "frame_count": 17, "note": "mine"}""");

        var model = ModelFolder.Open(folder.Path);

        Assert.Equal((64, 48, 17), (model.Defaults.Width, model.Defaults.Height, model.Defaults.FrameCount));
        Assert.Equal((Sampler.Euler, 7f, true), (model.Defaults.Sampler, model.Defaults.Shift, model.Defaults.PerTokenTime));
        Assert.Equal(["sora.json: note"], model.UnknownFields);
    }

    [Theory]
    [InlineData("""{"width": 72}""", "width 72 is not a multiple of 16; nearest: 64, 80")]
    [InlineData("""{"height": 8}""", "height 8 is not a multiple of 16; nearest: 16")]
    [InlineData("""{"frame_count": 80}""", "frame_count 80 is not 4n + 1; nearest: 77, 81")]
    public void DefaultsThatTheModelCannotMakeAreNamed(string json, string message)
    {
        TestModel.WriteTo(folder);
        folder.Write("sora.json", json);
        AssertRefused(message);
    }

    [Fact]
    public void PartsThatDoNotFitAreNamed()
    {
        TestModel.WriteTo(folder);
        (TestModel.Transformer with { OutChannels = 16 }).Save(folder.File("transformer", "config.json"));
        AssertRefused("transformer out_channels is 16, vae z_dim is 4; they must be equal");
        (TestModel.Transformer with { TextDim = 4096 }).Save(folder.File("transformer", "config.json"));
        AssertRefused("transformer text_dim is 4096, text_encoder d_model is 24; they must be equal");
        (TestModel.Transformer with { PatchSize = [2, 2, 2] }).Save(folder.File("transformer", "config.json"));
        AssertRefused("transformer patch_size is [2, 2, 2]; allowed: 1 in time");
    }

    [Fact]
    public void ChannelsThatAreNotThereAreNamed()
    {
        TestModel.WriteTo(folder);
        (TestModel.Scheduler with { Lead = new(4, 8) }).Save(folder.File("scheduler", "scheduler_config.json"));
        AssertRefused("lead_channels is 4, transformer out_channels is 4; allowed: fewer");
        (TestModel.Scheduler with { Lead = new(3, 8) }).Save(folder.File("scheduler", "scheduler_config.json"));
        Assert.Equal(8, ModelFolder.Open(folder.Path).MapGain);
        (TestModel.Scheduler with { Lead = new(3, 8), Details = 1 }).Save(folder.File("scheduler", "scheduler_config.json"));
        AssertRefused("detail_channels is 1, transformer out_channels is 4; allowed: fewer than 1");
        (TestModel.Scheduler with { Lead = new(2, 8), Details = 1 }).Save(folder.File("scheduler", "scheduler_config.json"));
        Assert.Equal(1, ModelFolder.Open(folder.Path).Scheduler.Prediction.Details);
        folder.Write("sora.json", """{"semantic_map": true}""");
        AssertRefused("sora.json: semantic_map needs a latent of more than 12 channels, and vae z_dim is 4");
    }

    [Theory]
    [InlineData("model_index.json", "looked for model_index.json, found scheduler, text_encoder, tokenizer, transformer, vae")]
    [InlineData("transformer/config.json", "looked for config.json, found diffusion_pytorch_model.safetensors")]
    [InlineData("scheduler/scheduler_config.json", "looked for scheduler_config.json, found nothing")]
    [InlineData("tokenizer/spiece.model", "looked for spiece.model, found tokenizer_config.json")]
    [InlineData("vae/diffusion_pytorch_model.safetensors", "no weights; looked for diffusion_pytorch_model.safetensors")]
    public void AMissingFileIsNamed(string file, string message)
    {
        TestModel.WriteTo(folder);
        File.Delete(folder.File(file));
        AssertRefused(message);
    }

    [Fact]
    public void AMissingFolderIsNamed()
    {
        Assert.Contains("there is no such folder", Assert.Throws<SoraException>(() => ModelFolder.Open(folder.File("none"))).Message, StringComparison.Ordinal);
        TestModel.WriteTo(folder);
        Directory.Delete(folder.File("vae"), recursive: true);
        AssertRefused("model_index.json lists vae; looked for a folder vae, found model_index.json, scheduler");
    }

    [Fact]
    public void AModelFurtherDownIsPointedOut()
    {
        folder.Write("snapshots/0123/model_index.json", "{}");
        AssertRefused($"looked for model_index.json, found snapshots. {folder.File("snapshots", "0123")} has one.");
    }

    [Fact]
    public void ATokenizerNeedsNoConfiguration()
    {
        TestModel.WriteTo(folder);
        File.Delete(folder.File("tokenizer", "tokenizer_config.json"));
        Assert.Null(ModelFolder.Open(folder.Path).Tokenizer.ModelMaxLength);
    }

    [Fact]
    public void APartOfAnotherKindIsNamed()
    {
        ModelComponent[] parts = [.. new ModelIndex().Components];
        parts[^1] = parts[^1] with { ClassName = "AutoencoderKL" };
        TestModel.WriteTo(folder, new ModelIndex { Components = [.. parts] });
        AssertRefused("vae is a AutoencoderKL; allowed: AutoencoderKLWan");
        TestModel.WriteTo(folder, new ModelIndex { Components = [.. parts[..^1]] });
        AssertRefused("vae is missing; found scheduler, text_encoder, tokenizer, transformer");
    }

    [Fact]
    public void APublishedImageModelOpens()
    {
        var model = ModelFolder.Open(TestWeights.Fixture("K_pipeline_flf2v"));
        Assert.Equal((16, 17, 34), (model.ImageEncoder!.HiddenSize, model.ImageEncoder.TokenCount, model.Transformer.PosEmbedSeqLen));
        Assert.Equal(new PixelSize(32, 32), model.ImageProcessor!.OutputSize);
        Assert.True(Directory.Exists(model.ImageEncoderPath));
        Assert.Empty(model.UnknownFields);
    }

    [Fact]
    public void AModelThatReadsImagesNeedsItsImageEncoder()
    {
        TestModel.WriteTo(folder);
        WanTransformerConfig transformer = TestModel.Transformer with { InChannels = 12, ImageDim = 16, AddedKvProjDim = 32 };
        transformer.Save(folder.File("transformer", "config.json"));
        AssertRefused("transformer image_dim is 16: it reads image tokens, and model_index.json lists no image_encoder; "
            + "looked for a folder image_encoder with a CLIPVisionModel, and image_processor with a CLIPImageProcessor");

        ModelComponent encoder = new("image_encoder", "transformers", ClipVisionConfig.ClassName);
        ModelComponent processor = new("image_processor", "transformers", ClipImageProcessorConfig.ClassName);
        TestModel.WriteTo(folder, new ModelIndex { Components = [.. new ModelIndex().Components, encoder] });
        AssertRefused("image_processor is missing; found image_encoder, scheduler, text_encoder, tokenizer, transformer, vae");
        TestModel.WriteTo(folder, new ModelIndex { Components = [.. new ModelIndex().Components, encoder, processor] });
        transformer.Save(folder.File("transformer", "config.json"));
        Assert.Equal(TestModel.ImageEncoder, ModelFolder.Open(folder.Path).ImageEncoder);
        Assert.Equal(TestModel.ImageProcessor, ModelFolder.Open(folder.Path).ImageProcessor);

        (transformer with { PosEmbedSeqLen = 514 }).Save(folder.File("transformer", "config.json"));
        AssertRefused("transformer pos_embed_seq_len is 514, the token count of two images is 34; they must be equal");
        (transformer with { ImageDim = 20 }).Save(folder.File("transformer", "config.json"));
        AssertRefused("transformer image_dim is 20, image_encoder hidden_size is 16; they must be equal");
        (TestModel.ImageProcessor with { CropSize = new(32, 24) }).Save(folder.File("image_processor", "preprocessor_config.json"));
        transformer.Save(folder.File("transformer", "config.json"));
        AssertRefused("image_processor width is 24, image_encoder image_size is 32; they must be equal");
        File.Delete(folder.File("image_processor", "preprocessor_config.json"));
        AssertRefused("looked for preprocessor_config.json, found nothing");
    }

    private static ModelIndex TwoTransformers() => new()
    {
        BoundaryRatio = 0.875,
        Components = [.. new ModelIndex().Components, new("transformer_2", "diffusers", WanTransformerConfig.ClassName)],
    };

    private void AssertRefused(string message) =>
        Assert.Contains(message, Assert.Throws<SoraException>(() => ModelFolder.Open(folder.Path)).Message, StringComparison.Ordinal);
}
