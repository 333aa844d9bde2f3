using Sora.Tests.Engine;
using Sora.Tests.Weights;
using Sora.Training;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Generation;

/// <summary>Videos of a transformer in 8 bits.</summary>
[Collection(LiveTensors.Name)]
public sealed class Int8Tests : IDisposable
{
    private static readonly VideoRequest Fish = new("a red fish swims left") { Seed = 42, Steps = 4, GuidanceScale = 4 };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task TheVideoIsNearlyThatOfFloat32AndItsRecordSaysInt8()
    {
        long before = LiveTensors.Count();
        using (VideoGenerator exact = await LoadAsync(Precision.Full), int8 = await LoadAsync(Precision.Int8))
        {
            byte[] expected = await Pixels.OfAsync(exact, Fish);
            await using GeneratedVideo video = await int8.GenerateAsync(Fish);
            double difference = expected.Zip(Pixels.Of(video.Frames), (a, b) => Math.Abs(a - b)).Average();
            Assert.InRange(difference, 1e-3, 6);
            string file = _folder.File("fish.gif");
            await video.SaveAsync(file);
            Assert.Equal(Precision.Int8, GenerationRecord.Read(file)!.Precision);
            Assert.Equal(Pixels.Of(video.Frames), await Pixels.OfAsync(int8, GenerationRecord.Read(file)!.Request));
        }
        Assert.Equal(before, LiveTensors.Count());
    }

    [Fact]
    public async Task TheEstimateKnowsOfTheSmallerWeights()
    {
        using VideoGenerator exact = await LoadAsync(Precision.Full), int8 = await LoadAsync(Precision.Int8);
        long Weights(VideoGenerator generator) => generator.Estimate(Fish).Memory.Single(stage => stage.Stage == GenerationStage.Denoising).Weights;
        Assert.InRange((double)Weights(int8) / Weights(exact), 0.25, 0.95);
    }

    [Fact]
    public async Task WhatDoesNotGoTogetherIsNamed()
    {
        SoraException streamed = await Assert.ThrowsAsync<SoraException>(
            () => VideoGenerator.LoadAsync(TinyModel.Folder, new() { Device = "cpu", Precision = Precision.Int8, LayerStreaming = true }));
        Assert.Contains("nearest: either of them", streamed.Message, StringComparison.Ordinal);
        string path = _folder.File("distill.json");
        File.WriteAllText(path, """{ "kind": "distill", "model": "m", "run_folder": "r", "output": "o" }""");
        Assert.Contains("no gradients to train with", Assert.Throws<SoraException>(() => TrainingFile.Load(path).ComputeType(Precision.Int8)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AWeightThatIsNotFiniteIsNamed()
    {
        TinyModel.CopyTo(_folder.Path);
        string file = Path.Combine(_folder.Path, "transformer", "diffusion_pytorch_model.safetensors");
        SafetensorsContent[] tensors;
        using (var source = SafetensorsFile.Open(file))
        {
            tensors = [.. source.Entries.Values.Select(entry =>
            {
                byte[] bytes = source.Bytes(entry).ToArray();
                if (entry.Name == "blocks.1.ffn.net.2.weight")
                    bytes.AsSpan(0, 4).Fill(0xff);
                return new SafetensorsContent(entry.Name, entry.Type, entry.Shape, bytes);
            })];
        }
        SafetensorsWriter.Write(file, tensors);
        SoraException refused = await Assert.ThrowsAnyAsync<SoraException>(async () =>
        {
            using VideoGenerator generator = await VideoGenerator.LoadAsync(_folder.Path, new() { Device = "cpu", Precision = Precision.Int8 });
            await generator.GenerateAsync(Fish);
        });
        Assert.Contains("blocks.1.ffn.net.2.weight holds NaN or infinity", refused.Message, StringComparison.Ordinal);
    }

    private static Task<VideoGenerator> LoadAsync(Precision precision) =>
        VideoGenerator.LoadAsync(TinyModel.Folder, new() { Device = "cpu", Precision = precision, Threads = 1 });
}
