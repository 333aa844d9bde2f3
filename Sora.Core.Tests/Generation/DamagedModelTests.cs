using System.Text;
using System.Text.Json.Nodes;
using Sora.Tests.Engine;
using Sora.Tests.Text;
using Sora.Tests.Weights;
using Sora.Text;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Generation;

/// <summary>Model folders that are incomplete, damaged or of another kind: loading names the file and leaves nothing.</summary>
[Collection(LiveTensors.Name)]
public sealed class DamagedModelTests : IDisposable
{
    private const string TextEncoder = "text_encoder/model.safetensors";
    private const string Transformer = "transformer/diffusion_pytorch_model.safetensors";
    private const string Vae = "vae/diffusion_pytorch_model.safetensors";
    private const string SentencePiece = "tokenizer/spiece.model";

    private readonly TemporaryFolder _folder = new();

    public DamagedModelTests() => TinyModel.CopyTo(_folder.Path);

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Weights => [TextEncoder, Transformer, Vae];

    public static TheoryData<string> Configs =>
        ["model_index.json", "text_encoder/config.json", "transformer/config.json", "vae/config.json", "scheduler/scheduler_config.json", "tokenizer/tokenizer_config.json", RequestDefaults.FileName];

    [Theory]
    [InlineData("model_index.json")]
    [InlineData("scheduler/scheduler_config.json")]
    [InlineData("text_encoder/config.json")]
    [InlineData("transformer/config.json")]
    [InlineData("vae/config.json")]
    [InlineData(SentencePiece)]
    [InlineData(TextEncoder)]
    [InlineData(Transformer)]
    [InlineData(Vae)]
    public async Task AMissingFileIsNamed(string file)
    {
        File.Delete(_folder.File(file));
        await RequireRefusedAsync(Path.GetFileName(file));
    }

    [Theory]
    [InlineData("tokenizer/tokenizer_config.json")]
    [InlineData(RequestDefaults.FileName)]
    public async Task TheOptionalFilesMayBeMissing(string file)
    {
        File.Delete(_folder.File(file));
        (await TinyModel.LoadAsync(_folder.Path)).Dispose();
    }

    [Fact]
    public async Task AMissingFolderAndAFileInPlaceOfOneAreNamed()
    {
        SoraException failure = await Assert.ThrowsAsync<SoraException>(() => TinyModel.LoadAsync(_folder.File("none")));
        Assert.Contains($"{_folder.File("none")}: there is no such folder", failure.Message, StringComparison.Ordinal);
        string config = _folder.File("transformer/config.json");
        failure = await Assert.ThrowsAsync<SoraException>(() => TinyModel.LoadAsync(config));
        Assert.Contains(config, failure.Message, StringComparison.Ordinal);
        (await TinyModel.LoadAsync(_folder.File("model_index.json"))).Dispose();
        await Assert.ThrowsAsync<ArgumentException>(() => TinyModel.LoadAsync(""));
    }

    [Theory]
    [MemberData(nameof(Weights))]
    public async Task TruncatedWeightsAreNamed(string file)
    {
        byte[] whole = File.ReadAllBytes(_folder.File(file));
        int header = 8 + BitConverter.ToInt32(whole);
        foreach (int length in new[] { 0, 7, 8, 9, header - 1, header, header + 1, whole.Length / 2, whole.Length - 1 })
        {
            _folder.Write(file, whole[..length]);
            await RequireRefusedAsync(file);
        }
        _folder.Write(file, [.. whole, 0]);
        await RequireRefusedAsync($"{file}: 1 bytes at the end belong to no tensor");
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 8, "shape [2] of F32 takes 8 bytes, data_offsets [0, 4] hold 4")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12, "its data overlap those of tensor 'a' by 4 bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}""", 16, "8 bytes before its data belong to no tensor")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8, "end before they begin")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, "shape holds '-2'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[9223372036854775807,9],"data_offsets":[0,8]}}""", 8, "overflows")]
    [InlineData("""{"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}}""", 8, "dtype 'F33' is unknown")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2]}}""", 8, "data_offsets is missing")]
    [InlineData("""{"a":""", 8, "is not valid JSON")]
    [InlineData("[]", 0, "does not start with '{'")]
    public async Task AHeaderThatLiesIsNamed(string header, int dataLength, string message)
    {
        _folder.Write(Transformer, TestWeights.File(header, dataLength));
        await RequireRefusedAsync(Transformer, message);
    }

    [Theory]
    [InlineData(100_000_001, "the header claims 100000001 bytes; allowed: 100000000")]
    [InlineData(99_000_000, "is not valid JSON")]
    public async Task AHeaderOfAHundredMegabytesIsNamed(long length, string message)
    {
        using (FileStream stream = File.Create(_folder.File(Vae)))
        {
            stream.Write(BitConverter.GetBytes(length));
            stream.Write("{"u8);
            stream.SetLength(8 + length); // A hole: it takes no space on the disk.
        }
        await RequireRefusedAsync(Vae, message);
    }

    [Theory]
    [InlineData(TextEncoder, "encoder.final_layer_norm.weight", "[24]", "[23]")]
    [InlineData(Transformer, "blocks.1.attn1.to_q.weight", "[40, 40]", "[20, 80]")]
    [InlineData(Vae, "decoder.conv_out.bias", "[12]", "[1, 12]")]
    public async Task AWrongShapeIsNamedWithTheRightOne(string file, string name, string right, string wrong)
    {
        long[] shape = JsonNode.Parse(wrong)!.AsArray().GetValues<long>().ToArray();
        Rewrite(file, tensor => tensor.Name != name ? tensor : new(name, tensor.Type, shape, new byte[sizeof(float) * shape.Aggregate((a, b) => a * b)]));
        await RequireRefusedAsync(file, name, $"has shape {wrong}", $"asks for {right}");
    }

    [Theory]
    [InlineData(TextEncoder, "shared.weight")]
    [InlineData(Transformer, "blocks.1.attn1.to_q.weight")]
    [InlineData(Transformer, "proj_out.bias")]
    [InlineData(Vae, "decoder.conv_out.bias")]
    public async Task AMissingTensorIsNamed(string file, string name)
    {
        Rewrite(file, tensor => tensor.Name == name ? new($"{name}.old", tensor.Type, tensor.Shape, new byte[tensor.ByteLength]) : tensor);
        await RequireRefusedAsync(Path.GetDirectoryName(file)!, $"has no tensor {name}");
    }

    [Fact]
    public async Task NumbersOfAKindThatIsNoneOfAWeightAreNamed()
    {
        Rewrite(Transformer, tensor => tensor.Name != "proj_out.bias" ? tensor : new(tensor.Name, SafetensorsType.I32, tensor.Shape, new byte[tensor.ByteLength]));
        await RequireRefusedAsync(Transformer, "proj_out.bias is stored as I32");
    }

    [Fact]
    public async Task DataThatAreNotAlignedAreReadAllTheSame()
    {
        byte[] expected = await GenerateAsync();
        // A header one byte longer moves all data to odd addresses.
        byte[] whole = File.ReadAllBytes(_folder.File(Vae));
        int header = BitConverter.ToInt32(whole);
        _folder.Write(Vae, [.. BitConverter.GetBytes(header + 1L), .. whole.AsSpan(8, header), (byte)' ', .. whole.AsSpan(8 + header)]);
        Assert.Equal(expected, await GenerateAsync());
    }

    [Theory]
    [MemberData(nameof(Configs))]
    public async Task FieldsThatAreMissingOrAbsurdNeverEndInAnotherError(string file)
    {
        string json = File.ReadAllText(_folder.File(file));
        var start = new Footprint();
        foreach (string field in JsonNode.Parse(json)!.AsObject().Select(field => field.Key))
        {
            foreach (string? value in new[] { null, "null", "-1", "0", "7", "1000000000", "1e30", "\"x\"", "[]", "[1, 2]", "{}" })
            {
                JsonObject changed = JsonNode.Parse(json)!.AsObject();
                changed.Remove(field);
                if (value is not null)
                    changed[field] = JsonNode.Parse(value);
                _folder.Write(file, changed.ToJsonString());
                await RequireRefusedOrLoadedAsync($"{file}: {field} = {value ?? "nothing"}", start);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Configs))]
    public async Task AConfigThatIsNoJsonIsNamed(string file)
    {
        byte[] whole = File.ReadAllBytes(_folder.File(file));
        foreach (byte[] content in new byte[][] { [], whole[..(whole.Length / 2)], "[]"u8.ToArray(), [0xff, 0xfe], Encoding.UTF8.GetBytes(new string('[', 100_000)) })
        {
            _folder.Write(file, content);
            await RequireRefusedAsync(file);
        }
    }

    [Fact]
    public async Task ATokenizerThatIsNoneIsNamed()
    {
        byte[] whole = File.ReadAllBytes(_folder.File(SentencePiece));
        byte[] random = new byte[5000];
        new Random(1).NextBytes(random);
        foreach (byte[] content in new byte[][] { [], "version https://git-lfs.github.com/spec/v1\n"u8.ToArray(), random, whole[..(whole.Length / 2)], whole[..^1] })
        {
            _folder.Write(SentencePiece, content);
            await RequireRefusedAsync(SentencePiece);
        }
    }

    [Fact]
    public async Task ATokenizerWithMoreTokensThanTheTextEncoderIsRefused()
    {
        var words = new Dictionary<string, long>(SmallCorpus.WordCounts) { ["another"] = 1 };
        new SentencePieceModelBuilder(words).Write(_folder.File(SentencePiece));
        await RequireRefusedAsync(SentencePiece, $"has {TinyModel.Tokenizer.VocabularySize + 1} tokens", $"vocab_size is {TinyModel.Tokenizer.VocabularySize}");
    }

    [Fact]
    public async Task AnInputOfUnknownChannelsIsRefused()
    {
        (TinyModel.Transformer with { InChannels = 13 }).Save(_folder.File("transformer", "config.json"));
        await RequireRefusedAsync("in_channels is 13", "z_dim 4: 4 without image_dim (text to video), 12 (image to video)");
        (TinyModel.Transformer with { ImageDim = 8, AddedKvProjDim = 40 }).Save(_folder.File("transformer", "config.json"));
        await RequireRefusedAsync("image_dim is 8");
    }

    private void Rewrite(string file, Func<SafetensorsContent, SafetensorsContent> change)
    {
        string path = _folder.File(file);
        SafetensorsContent[] tensors;
        using (var source = SafetensorsFile.Open(path))
            tensors = [.. source.Entries.Values.Select(entry => change(new(entry.Name, entry.Type, entry.Shape, source.Bytes(entry).ToArray())))];
        SafetensorsWriter.Write(path, tensors);
    }

    private async Task<byte[]> GenerateAsync()
    {
        using VideoGenerator generator = await TinyModel.LoadAsync(_folder.Path);
        return await Pixels.OfAsync(generator, new VideoRequest("a red fish") { Seed = 1 });
    }

    private async Task RequireRefusedAsync(params string[] parts)
    {
        var start = new Footprint();
        SoraException failure = await Assert.ThrowsAsync<SoraException>(() => TinyModel.LoadAsync(_folder.Path));
        Assert.Contains(_folder.Path, failure.Message, StringComparison.Ordinal);
        foreach (string part in parts)
            Assert.Contains(part, failure.Message, StringComparison.Ordinal);
        start.RequireUnchanged(_folder.Path);
    }

    private async Task RequireRefusedOrLoadedAsync(string change, Footprint start)
    {
        try
        {
            (await TinyModel.LoadAsync(_folder.Path)).Dispose();
        }
        catch (SoraException failure)
        {
            Assert.True(failure.Message.Contains(_folder.Path, StringComparison.Ordinal), $"{change} is refused without the file's name: {failure.Message}");
        }
        catch (Exception failure)
        {
            Assert.Fail($"{change} ends in {failure}");
        }
        start.RequireUnchanged(_folder.Path);
    }
}
