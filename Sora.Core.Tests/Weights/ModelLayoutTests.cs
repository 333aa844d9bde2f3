using Sora.Tests.Generation;
using Sora.Text;
using Sora.Training;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Weights;

/// <summary>One model in every layout: opened, it has the same configs and the same values under the same names.</summary>
public sealed class ModelLayoutTests : IDisposable
{
    private const string OriginalConfig = """
        {"_class_name": "WanModel", "_diffusers_version": "0.30.0", "dim": 128, "eps": 1e-06, "ffn_dim": 40, "freq_dim": 16, "in_dim": IN,
         "model_type": "TYPE", "num_heads": 1, "num_layers": 2, "out_dim": 16, "text_len": 512}
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void TheOriginalReleaseIsRead()
    {
        SmallModel model = new(SmallModel.ImageToVideo);
        WriteOriginalRelease(model, "i2v");
        ModelFolder folder = ModelFolder.Open(_folder.Path);
        Assert.Equal(ModelLayout.Files, folder.Layout);
        Assert.Equal(_folder.File("google", "umt5-xxl", "spiece.model"), folder.SentencePiecePath);
        Assert.Equal("WanImageToVideoPipeline", folder.Index.ClassName);
        Assert.Equal(28, folder.ImageProcessor!.OutputSize.Width);
        Assert.Empty(folder.UnknownFields);
        AssertHolds(model, folder);
        // The length of prompts is that of config.json, unless sora.json says otherwise.
        Assert.Equal(512, folder.Defaults.MaxSequenceLength);
        _folder.Write(RequestDefaults.FileName, "{\"max_sequence_length\": 226}");
        Assert.Equal(226, ModelFolder.Open(_folder.Path).Defaults.MaxSequenceLength);
    }

    [Fact]
    public void TheTwoExpertsOfTheOriginalReleaseAreRead()
    {
        SmallModel model = new(SmallModel.TextToVideo, twoExperts: true);
        foreach ((string part, string name) in ((string, string)[])[("transformer", "high_noise_model"), ("transformer_2", "low_noise_model")])
        {
            model.WriteOriginal(part, _folder.File(name, "diffusion_pytorch_model.safetensors"));
            _folder.Write(Path.Combine(name, "config.json"), Config("t2v", 16));
        }
        WriteOthers(model);
        ModelFolder folder = ModelFolder.Open(_folder.Path);
        Assert.Equal(0.875, folder.Index.BoundaryRatio);
        AssertHolds(model, folder);
    }

    [Theory]
    [InlineData("")]
    [InlineData("diffusion_models,text_encoders,vae,clip_vision")]
    [InlineData("split_files/diffusion_models,split_files/text_encoders,split_files/vae,split_files/clip_vision")]
    public void SingleFilesAreRead(string places)
    {
        string[] place = places.Length == 0 ? ["", "", "", ""] : places.Split(',');
        SmallModel model = new(SmallModel.ImageToVideo);
        model.WriteOriginal("transformer", _folder.File(place[0], "wan2.1_i2v.safetensors"), prefix: "model.diffusion_model.");
        // Where ComfyUI keeps the tokenizer: as bytes in the text encoder's file.
        model.WriteDiffusers("text_encoder", _folder.File(place[1], "umt5_xxl_fp16.safetensors"),
            [new SafetensorsContent("spiece_model", SafetensorsType.U8, [SmallModel.SentencePiece.Length], SmallModel.SentencePiece)]);
        model.WriteOriginal("vae", _folder.File(place[2], "wan_2.1_vae.safetensors"));
        model.WriteDiffusers("image_encoder", _folder.File(place[3], "clip_vision_h.safetensors"),
            [TestWeights.Tensor("visual_projection.weight", SafetensorsType.F32, 4, 4)]);
        _folder.Write("notes.txt", "mine");
        ModelFolder folder = ModelFolder.Open(_folder.Path);
        Assert.Equal("spiece_model", folder.SentencePieceTensor);
        AssertHolds(model, folder);
    }

    [Fact]
    public void ATextEncoderInGgufBringsItsTokenizer()
    {
        SmallModel model = new(SmallModel.TextToVideo);
        model.WriteOriginal("transformer", _folder.File("wan.safetensors"));
        model.WriteOriginal("vae", _folder.File("vae.safetensors"));
        string text = _folder.File("text_encoders", "umt5-xxl-encoder-F32.gguf");
        model.WriteGgufTextEncoder(text, new TestGguf().Text("general.architecture", "t5encoder").Tokenizer(SmallModel.SentencePiece));
        ModelFolder folder = ModelFolder.Open(_folder.Path);
        AssertHolds(model, folder);
        SentencePieceTokenizer expected = SentencePieceTokenizer.Load(SmallModel.SentencePiece), found = folder.OpenTokenizer();
        Assert.Equal((expected.VocabularySize, expected.PadId, expected.EosId, expected.UnknownId), (found.VocabularySize, found.PadId, found.EosId, found.UnknownId));
        Assert.All((string[])["a red fish swims left", "  A  Fish, ünïcode 鱼 <extra> </s>\t", ""], line => Assert.Equal(expected.Encode(line), found.Encode(line)));

        // It comes along where the model is written anew.
        using var elsewhere = new TemporaryFolder();
        ConvertedCheckpoint.Write(_folder.Path, elsewhere.File("made"), WeightPrecision.F32);
        Assert.Equal(expected.Encode("a red fish"), ModelFolder.Open(elsewhere.File("made")).OpenTokenizer().Encode("a red fish"));

        model.WriteGgufTextEncoder(text, new TestGguf().Text("general.architecture", "t5encoder"));
        Assert.Contains("in a GGUF file, for its own tokenizer; found none of them", Error(), StringComparison.Ordinal);
    }

    [Fact]
    public void ATokenizerInGgufThatDoesNotFitTogetherIsRefused()
    {
        AssertRefused(new TestGguf().Tokenizer(SmallModel.SentencePiece).Replace("tokenizer.ggml.scores", null), "lacks tokenizer.ggml.scores");
        AssertRefused(new TestGguf().Tokenizer(SmallModel.SentencePiece).Replace("tokenizer.ggml.eos_token_id", writer => writer.Write(5u)), "eos_token_id is 5; UMT5's is 1");
        AssertRefused(
            new TestGguf().Tokenizer(SmallModel.SentencePiece).Replace("tokenizer.ggml.token_type", writer =>
            {
                writer.Write(5u);
                writer.Write(1UL);
                writer.Write(9);
            }),
            "lacks a score and a known type for piece 0");

        void AssertRefused(TestGguf file, string message)
        {
            string path = _folder.File("t.gguf");
            File.WriteAllBytes(path, file.ToBytes());
            using var gguf = GgufFile.Open(path);
            Assert.Contains(message, Assert.Throws<SoraException>(() => GgufTokenizer.ReadSentencePiece(gguf)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void ATransformersFileChoosesAmongSeveral()
    {
        SmallModel model = new(SmallModel.TextToVideo);
        model.WriteOriginal("transformer", _folder.File("diffusion_models", "wan_a.safetensors"));
        new SmallModel(SmallModel.ImageToVideo).WriteOriginal("transformer", _folder.File("diffusion_models", "wan_b.safetensors"));
        model.WriteDiffusers("text_encoder", _folder.File("text_encoders", "umt5.safetensors"));
        _folder.Write("text_encoders/spiece.model", SmallModel.SentencePiece);
        model.WriteOriginal("vae", _folder.File("vae", "any name.safetensors"));
        AssertHolds(model, ModelFolder.Open(_folder.File("diffusion_models", "wan_a.safetensors")));
        Assert.Contains("there are several transformers: diffusion_models/wan_a.safetensors, diffusion_models/wan_b.safetensors", Error(), StringComparison.Ordinal);
    }

    [Fact]
    public void AFileThatIsNoTransformerIsNamed()
    {
        WriteOthers(new SmallModel(SmallModel.TextToVideo));
        foreach (string file in (string[])[_folder.Write("notes.txt", "mine"), _folder.File("Wan2.1_VAE.pth")])
            Assert.StartsWith($"{file}: there is no such folder, and as a file it is no Wan transformer",
                Assert.Throws<SoraException>(() => ModelFolder.Open(file)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ExpertsInOneFolderFindEachOther()
    {
        SmallModel model = new(SmallModel.TextToVideo, twoExperts: true);
        model.WriteOriginal("transformer", _folder.File("wan2.2_t2v_high_noise_14B.safetensors"));
        WriteOthers(model);
        Assert.Contains("looked for the expert for low noise", Error(), StringComparison.Ordinal);
        model.WriteOriginal("transformer_2", _folder.File("wan2.2_t2v_low_noise_14B.safetensors"));
        AssertHolds(model, ModelFolder.Open(_folder.Path));
        AssertHolds(model, ModelFolder.Open(_folder.File("wan2.2_t2v_low_noise_14B.safetensors")));
    }

    [Theory]
    [InlineData("transformer", "looked for a Wan transformer, by its tensors; found")]
    [InlineData("vae", "looked for a VAE with 16 latent channels, by its tensors; found")]
    [InlineData("text_encoder", "looked for a UMT5 text encoder 24 wide, by its tensors; found")]
    [InlineData("image_encoder", "looked for a CLIP image encoder 80 wide, by its tensors; found")]
    public void AMissingPartIsNamedWithWhatIsThere(string part, string message)
    {
        WriteOriginalRelease(new SmallModel(SmallModel.ImageToVideo), "i2v");
        File.Delete(_folder.File(part switch
        {
            "transformer" => "diffusion_pytorch_model.safetensors",
            "vae" => "Wan2.1_VAE.pth",
            "text_encoder" => "models_t5_umt5-xxl-enc-bf16.pth",
            _ => "models_clip_open-clip-xlm-roberta-large-vit-huge-14.pth",
        }));
        string error = Error();
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.Contains(part == "vae" ? "(Transformer)" : "Wan2.1_VAE.pth (Vae)", error, StringComparison.Ordinal);
    }

    [Fact]
    public void AFolderOfDiffusersNeedsItsIndex()
    {
        new SmallModel(SmallModel.TextToVideo).WriteDiffusers("transformer", _folder.File("transformer", "diffusion_pytorch_model.safetensors"));
        Assert.EndsWith("looked for model_index.json, found transformer.", Error(), StringComparison.Ordinal);
    }

    [Fact]
    public void ADamagedPartIsNamed()
    {
        WriteOriginalRelease(new SmallModel(SmallModel.TextToVideo), "t2v");
        File.WriteAllBytes(_folder.File("Wan2.1_VAE.pth"), File.ReadAllBytes(_folder.File("Wan2.1_VAE.pth"))[..5000]);
        Assert.Contains("Wan2.1_VAE.pth: the archive is damaged", Error(), StringComparison.Ordinal);
    }

    [Fact]
    public void AMissingTokenizerIsNamed()
    {
        WriteOriginalRelease(new SmallModel(SmallModel.TextToVideo), "t2v");
        File.Delete(_folder.File("google", "umt5-xxl", "spiece.model"));
        Assert.Contains("looked for spiece.model", Error(), StringComparison.Ordinal);
    }

    [Fact]
    public void ConfigAndTensorsMustAgree()
    {
        WriteOriginalRelease(new SmallModel(SmallModel.TextToVideo), "t2v");
        _folder.Write("config.json", Config("t2v", 16).Replace("\"ffn_dim\": 40", "\"ffn_dim\": 48", StringComparison.Ordinal));
        Assert.Contains("ffn_dim is 48, but the tensors of", Error(), StringComparison.Ordinal);
        _folder.Write("config.json", Config("t2v", 16).Replace("\"num_heads\": 1", "\"num_heads\": 3", StringComparison.Ordinal));
        Assert.Contains("128 channels cannot be shared among 3 heads", Error(), StringComparison.Ordinal);
        _folder.Write("config.json", Config("t2v", 16).Replace("\"text_len\"", "\"colour\": 1, \"text_len\"", StringComparison.Ordinal));
        Assert.Equal(["transformer/config.json: colour"], ModelFolder.Open(_folder.Path).UnknownFields);
    }

    [Fact]
    public void AVariantWithMorePartsIsRefused()
    {
        SmallModel model = new(SmallModel.TextToVideo);
        WriteOthers(model);
        model.WritePickled("transformer", _folder.File("vace.pth"), [("vace_blocks.0.before_proj.weight", [1], new byte[4])]);
        Assert.Contains("1 tensors are no part of a network that Sora has, so this is a variant that it cannot run: vace_blocks.0.before_proj.weight", Error(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("N_gguf/wan_Q8_0/model.gguf", NetworkKind.Transformer, "original")]
    [InlineData("N_gguf/umt5_Q8_0/model.gguf", NetworkKind.TextEncoder, "llama.cpp")]
    [InlineData("M_fp8/e4m3_cast_all/wan_fp8_e4m3fn.safetensors", NetworkKind.Transformer, "original")]
    [InlineData("E_umt5_bf16_sharded/model.safetensors.index.json", NetworkKind.TextEncoder, "diffusers")]
    [InlineData("H_clip_vision/model.safetensors", NetworkKind.ImageEncoder, "diffusers")]
    [InlineData("D_vae_wan22/diffusion_pytorch_model.safetensors", NetworkKind.Vae, "diffusers")]
    public void NetworksOfEveryFormatAreRecognised(string file, NetworkKind kind, string names)
    {
        NetworkFiles found = Assert.IsType<NetworkFiles>(NetworkFiles.Recognize(TestWeights.Fixture(file.Split('/'))));
        Assert.Equal((kind, names), (found.Kind, found.Naming.Author));
        using WeightStore store = found.Open();
        ModelConfig config = kind switch
        {
            NetworkKind.Transformer => ModelFileReader.TransformerConfig(found),
            NetworkKind.TextEncoder => ModelFileReader.TextConfig(found),
            NetworkKind.ImageEncoder => ModelFileReader.ImageConfig(found),
            _ => ModelFileReader.VaeConfig(found),
        };
        Assert.All(ParameterList.Of(config), parameter => Assert.Equal(parameter.Shape, store.ShapeOf(parameter.Name)));
    }

    [Fact]
    public void OtherNetworksAreNotTakenForWans()
    {
        // A T5 with one table of positions, and a VAE of pictures.
        SafetensorsWriter.Write(_folder.File("t5.safetensors"), [.. Enumerable.Range(0, 2).Select(i => TestWeights.Tensor($"encoder.block.{i}.layer.0.SelfAttention.q.weight", SafetensorsType.F32, 2, 2)),
            TestWeights.Tensor("encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", SafetensorsType.F32, 2, 2)]);
        SafetensorsWriter.Write(_folder.File("vae.safetensors"), [TestWeights.Tensor("decoder.conv_in.weight", SafetensorsType.F32, 2, 2), TestWeights.Tensor("quant_conv.weight", SafetensorsType.F32, 2)]);
        Assert.Null(NetworkFiles.Recognize(_folder.File("t5.safetensors")));
        Assert.Null(NetworkFiles.Recognize(_folder.File("vae.safetensors")));
        Assert.Contains("looked for model_index.json, found t5.safetensors, vae.safetensors.", Error(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("i2v")]
    [InlineData("t2v")]
    public void ConvertedItIsAModelFolderWithTheSameValues(string type)
    {
        SmallModel model = new(type == "i2v" ? SmallModel.ImageToVideo : SmallModel.TextToVideo);
        WriteOriginalRelease(model, type);
        string made = _folder.File("made");
        ConvertedCheckpoint.Write(_folder.Path, made, WeightPrecision.F32);
        ModelFolder folder = ModelFolder.Open(made);
        Assert.Equal(ModelLayout.Diffusers, folder.Layout);
        Assert.Equal(ModelFolder.Open(_folder.Path).Defaults, folder.Defaults);
        Assert.Equal(SmallModel.SentencePiece, folder.ReadSentencePiece());
        AssertHolds(model, folder);

        // What fits into 16 bits survives any number of conversions.
        ConvertedCheckpoint.Write(made, _folder.File("half"), WeightPrecision.BF16);
        ConvertedCheckpoint.Write(_folder.File("half"), _folder.File("whole"), WeightPrecision.F32);
        ConvertedCheckpoint.Write(_folder.File("whole"), _folder.File("again"), WeightPrecision.BF16);
        Assert.Equal(Weights(_folder.File("half")), Weights(_folder.File("again")));
    }

    [Theory]
    [InlineData(WeightPrecision.BF16, "BF16")]
    [InlineData(WeightPrecision.F16, "F16 F32")]
    [InlineData(WeightPrecision.F32, "F32")]
    public void WhatTheSourceHasInBFloat16IsWidenedForOtherTypesAlone(WeightPrecision precision, string types)
    {
        string narrow = _folder.File("narrow"), made = _folder.File("made"), merged = _folder.File("merged");
        RoundedCopy(narrow);
        ConvertedCheckpoint.Write(narrow, made, precision);
        MergedCheckpoint.Write([(narrow, 0.5), (TinyModel.Folder, 0.5)], merged, precision);
        Assert.All((string[])[made, merged], folder => Assert.Equal(types, string.Join(' ', StoredTypes(folder))));
    }

    private static IEnumerable<string> StoredTypes(string folder) => new[] { "transformer", "text_encoder", "vae" }.SelectMany(part =>
    {
        using WeightStore weights = ModelFolder.Open(folder).OpenWeights(part);
        return weights.Names.Select(weights.StoredTypeOf).ToArray();
    }).Distinct().Order(StringComparer.Ordinal);

    // The tiny model with every tensor rounded to bfloat16.
    private static void RoundedCopy(string folder)
    {
        TinyModel.CopyTo(folder);
        foreach (string file in Directory.EnumerateFiles(folder, "*.safetensors", SearchOption.AllDirectories))
        {
            SafetensorsContent[] rounded;
            using (var store = SafetensorsStore.Open(file))
                rounded = [.. store.Names.Select(name => TrainingState.ContentOf(name, store.Read(name, float32, CPU), bfloat16))];
            SafetensorsWriter.Write(file, rounded);
        }
    }

    [Fact]
    public void AConversionThatFailsLeavesNothing()
    {
        SmallModel model = new(SmallModel.TextToVideo);
        WriteOthers(model);
        model.WriteDiffusers("transformer", _folder.File("diffusion_models", "wan.safetensors"));
        (SmallModel.TextToVideo with { NumLayers = 3 }).Save(_folder.File("diffusion_models", "config.json"));
        string error = Assert.Throws<SoraException>(() => ConvertedCheckpoint.Write(_folder.Path, _folder.File("made"), WeightPrecision.F32)).Message;
        Assert.Contains("there is no tensor 'blocks.2.", error, StringComparison.Ordinal);
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(_folder.Path), entry => Path.GetFileName(entry).StartsWith("made", StringComparison.Ordinal));
    }

    private static string Weights(string folder) => string.Concat(
        Directory.EnumerateFiles(folder, "*.safetensors", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(file => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file)))));

    private static string Config(string type, int inputs) =>
        OriginalConfig.Replace("IN", $"{inputs}", StringComparison.Ordinal).Replace("TYPE", type, StringComparison.Ordinal);

    private void WriteOriginalRelease(SmallModel model, string type)
    {
        model.WriteOriginal("transformer", _folder.File("diffusion_pytorch_model.safetensors"));
        _folder.Write("config.json", Config(type, model.Transformer.InChannels));
        WriteOthers(model);
        if (type == "i2v")
            model.WritePickled("image_encoder", _folder.File("models_clip_open-clip-xlm-roberta-large-vit-huge-14.pth"),
                [("log_scale", [], new byte[4]), ("textual.model.embeddings.weight", [1, 1], new byte[4]), ("visual.head", [1, 1], new byte[4])]);
    }

    private void WriteOthers(SmallModel model)
    {
        model.WritePickled("vae", _folder.File("Wan2.1_VAE.pth"));
        model.WritePickled("text_encoder", _folder.File("models_t5_umt5-xxl-enc-bf16.pth"));
        _folder.Write("google/umt5-xxl/spiece.model", SmallModel.SentencePiece);
    }

    private static void AssertHolds(SmallModel model, ModelFolder folder)
    {
        Assert.Equal(model.Transformer, folder.Transformer);
        Assert.Equal(SmallModel.Vae, folder.Vae);
        Assert.Equal(SmallModel.TextEncoder, folder.TextEncoder);
        Assert.Equal(model.Transformer.ImageDim is null ? null : SmallModel.ImageEncoder, folder.ImageEncoder);
        Assert.Equal(model.Parts.Order(StringComparer.Ordinal), folder.Networks.Keys.Order(StringComparer.Ordinal));
        Assert.True(folder.OpenTokenizer().VocabularySize > 0);
        foreach (string part in model.Parts)
        {
            using WeightStore store = folder.OpenWeights(part);
            foreach (string name in model.Names(part))
            {
                using Tensor tensor = store.Read(name, float32, CPU);
                Assert.True(tensor.contiguous().bytes.SequenceEqual(model.Values(part, name)), $"{part} {name} differs.");
            }
        }
    }

    private string Error() => Assert.Throws<SoraException>(() => ModelFolder.Open(_folder.Path)).Message;
}
