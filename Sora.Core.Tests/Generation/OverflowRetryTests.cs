using System.Runtime.InteropServices;
using Sora.Tests.Conditioning;
using Sora.Tests.Engine;
using Sora.Tests.Weights;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Generation;

/// <summary>Models one of whose numbers is finite in float32 and infinite in bfloat16, whose largest number is 3.39e38.</summary>
[Collection(LiveTensors.Name)]
public sealed class OverflowRetryTests : IDisposable
{
    private const float TooLarge = 3.4e38f;

    private const string TextEncoder = "text_encoder/model.safetensors";
    private const string Transformer = "transformer/diffusion_pytorch_model.safetensors";
    private const string Vae = "vae/diffusion_pytorch_model.safetensors";

    private static readonly VideoRequest Fish = new("a red fish swims left") { Seed = 42, Steps = 3, GuidanceScale = 3 };

    private readonly TemporaryFolder _folder = new();

    public OverflowRetryTests() => TinyModel.CopyTo(_folder.Path);

    public void Dispose() => _folder.Dispose();

    // A norm follows each of these: in float32 its result is small again.
    [Theory]
    [InlineData("The text encoder", TextEncoder, "encoder.block.1.layer.1.DenseReluDense.wi_0.weight")]
    [InlineData("The transformer", Transformer, "blocks.1.attn1.to_k.bias")]
    [InlineData("The video encoder", Vae, "encoder.mid_block.resnets.0.conv1.bias")]
    [InlineData("The video decoder", Vae, "decoder.mid_block.resnets.0.conv1.bias")]
    public async Task TheStageIsNamedAndComputedAgainInFloat32(string stage, string file, string parameter)
    {
        Enlarge(file, parameter);
        VideoRequest request = stage == "The video encoder" ? Fish with { KnownFrames = [new(0, TestFrames.Create(1))] } : Fish;
        foreach (bool keep in (bool[])[true, false])
        {
            using VideoGenerator generator = await LoadAsync(keep, retry: true);
            await using (GeneratedVideo first = await generator.GenerateAsync(request with { Steps = 1 }))
            {
            }
            var start = new Footprint();
            var progress = new ProgressLog();
            await using (GeneratedVideo video = await generator.GenerateAsync(request, progress))
            {
                Assert.Equal($"{stage} left the range of bfloat16 and was computed again in float32.", Assert.Single(video.Notes));
                Assert.Equal(5, video.Frames.Count);
                Assert.Equal([1, 2, 3], progress.Steps.Where(step => step is { Stage: GenerationStage.Denoising, Step: > 0 }).Select(step => step.Step).Distinct());
            }
            start.RequireUnchanged();

            using VideoGenerator strict = await LoadAsync(keep, retry: false);
            Assert.Contains($"{stage} gave NaN or infinity", (await Assert.ThrowsAnyAsync<SoraException>(() => strict.GenerateAsync(request))).Message, StringComparison.Ordinal);
        }
        // Where everything is float32 there is nothing to be told.
        using VideoGenerator full = await TinyModel.LoadAsync(_folder.Path);
        await using GeneratedVideo expected = await full.GenerateAsync(request);
        Assert.Empty(expected.Notes);
    }

    [Fact]
    public async Task TheRestOfTheStageIsFloat32s()
    {
        // With every matrix of the transformer overflowing in its first step, all of its steps are float32's.
        Enlarge(Transformer, "blocks.0.attn1.to_k.bias");
        using VideoGenerator retried = await LoadAsync(keep: false, retry: true);
        using VideoGenerator full = await TinyModel.LoadAsync(_folder.Path);
        byte[] expected = await Pixels.OfAsync(full, Fish), found = await Pixels.OfAsync(retried, Fish);
        // Text encoder and decoder are bfloat16 in one and float32 in the other.
        Assert.InRange(expected.Zip(found, (a, b) => Math.Abs(a - b)).Average(), 0, 4);
    }

    [Fact]
    public async Task AWindowIsDecodedAgainFromWhatTheDecoderRememberedBeforeIt()
    {
        Enlarge(Vae, "decoder.mid_block.resnets.0.conv1.bias");
        VideoRequest windows = Fish with { FrameCount = 17, WindowFrames = 9 };
        using VideoGenerator generator = await LoadAsync(keep: true, retry: true);
        await Pixels.OfAsync(generator, windows with { Steps = 1 }); // prepares what stays
        var start = new Footprint();
        byte[] found;
        await using (GeneratedVideo video = await generator.GenerateAsync(windows))
        {
            Assert.Equal("The video decoder left the range of bfloat16 and was computed again in float32.", Assert.Single(video.Notes));
            Assert.Equal(17, video.Frames.Count);
            found = Pixels.Of(video.Frames);
        }
        start.RequireUnchanged();
        using VideoGenerator full = await TinyModel.LoadAsync(_folder.Path);
        byte[] expected = await Pixels.OfAsync(full, windows);
        Assert.InRange(expected.Zip(found, (a, b) => Math.Abs(a - b)).Average(), 0, 4);
    }

    [Theory]
    [InlineData("The text encoder", TextEncoder, "encoder.final_layer_norm.weight")]
    [InlineData("The transformer", Transformer, "blocks.1.ffn.net.0.proj.bias")]
    [InlineData("The video decoder", Vae, "decoder.conv_out.bias")]
    public async Task WhatIsNoNumberInFloat32EitherIsDamaged(string stage, string file, string parameter)
    {
        Enlarge(file, parameter, float.NaN);
        using VideoGenerator generator = await LoadAsync(keep: true, retry: true);
        Assert.Equal($"{stage} gave NaN or infinity, in float32 too: the weights are damaged.", (await Assert.ThrowsAnyAsync<SoraException>(() => generator.GenerateAsync(Fish))).Message);
    }

    [Fact]
    public async Task InfinityFromTheDecoderIsNotAWhitePicture()
    {
        Enlarge(Vae, "decoder.conv_out.bias", float.PositiveInfinity);
        using VideoGenerator generator = await TinyModel.LoadAsync(_folder.Path);
        Assert.Contains("The video decoder gave NaN or infinity", (await Assert.ThrowsAnyAsync<SoraException>(() => generator.GenerateAsync(Fish))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheOptionsOfTheCommandLineDecide()
    {
        Enlarge(Transformer, "blocks.1.attn1.to_k.bias");
        string[] line = ["generate", "a fish", "--model", _folder.Path, "--steps", "1", "--seed", "1", "--precision", "bf16", "-o", _folder.File("frames")];
        Cli.SoraProcess.Result on = await Cli.SoraProcess.RunAsync(line), off = await Cli.SoraProcess.RunAsync([.. line, "--retry-float32", "off"]);
        Assert.Equal(0, on.ExitCode);
        Assert.Contains("Note: The transformer left the range of bfloat16", on.Error, StringComparison.Ordinal);
        Assert.Equal(2, off.ExitCode);
        Assert.Contains("The transformer gave NaN or infinity", off.Error, StringComparison.Ordinal);
        Assert.Contains("--retry-float32 'maybe' is unknown; known: on, off.", (await Cli.SoraProcess.RunAsync([.. line, "--retry-float32", "maybe"])).Error, StringComparison.Ordinal);
    }

    private Task<VideoGenerator> LoadAsync(bool keep, bool retry) => VideoGenerator.LoadAsync(
        _folder.Path, new() { Device = "cpu", Precision = Precision.BFloat16, Threads = 1, KeepComponents = keep, RetryInFloat32 = retry });

    // The first number of a parameter. That of a matrix meets an input which the norm before it makes small enough.
    private void Enlarge(string file, string parameter, float value = TooLarge)
    {
        string path = _folder.File(file);
        SafetensorsContent[] tensors;
        using (var source = SafetensorsFile.Open(path))
            tensors = [.. source.Entries.Values.Select(entry => new SafetensorsContent(entry.Name, entry.Type, entry.Shape, Changed(entry.Name, source.Bytes(entry).ToArray())))];
        SafetensorsWriter.Write(path, tensors);

        byte[] Changed(string name, byte[] bytes)
        {
            Span<float> numbers = MemoryMarshal.Cast<byte, float>(bytes.AsSpan());
            if (name == parameter)
                numbers[0] = value;
            else if (parameter.EndsWith("layer.1.DenseReluDense.wi_0.weight", StringComparison.Ordinal) && name == parameter.Replace("DenseReluDense.wi_0", "layer_norm", StringComparison.Ordinal))
                numbers[0] = 1e-37f;
            return bytes;
        }
    }
}
