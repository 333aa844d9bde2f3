using Sora.Tests.Weights;
using Sora.Training;
using Sora.Training.Distillation;
using Sora.Training.FineTuning;
using Sora.Training.SpriteWorld;
using Xunit;

namespace Sora.Tests.Training;

public class TrainingFileTests
{
    [Fact]
    public void ProductsAreOfThePrecisionThatIsAskedFor()
    {
        var flow = new TrainingFile(SpriteWorldConfig.FirstEdition, null, TinyTraining.Flow("unused", 1));
        Assert.Equal(float32, flow.ComputeType(Precision.Full));
        Assert.Equal(bfloat16, flow.ComputeType(Precision.BFloat16));
        // As a generator on the same device.
        Assert.Equal(Sora.Layers.ComputeTypes.Of(Precision.Auto, CPU), flow.ComputeType(Precision.Auto));
    }

    [Theory]
    [InlineData("\"world\": [\"by-day\"],", "", "", "world is [\"by-day\"]; a text in quotes is expected.")]
    [InlineData("\"world\": null,", "", "", "world is null; a text in quotes is expected.")]
    [InlineData("", ", \"map_sample\": 24", "", "WanTransformerConfig has unknown settings: map_sample; a training would not heed them.")]
    [InlineData("\"steps\": 3,", "", ", \"steps\": 4", "steps")]
    [InlineData("", "", ", \"caption_dropout\": 10", "caption_dropout 10 is out of range; allowed: 0 to 1, nearest: 1.")]
    [InlineData("", "", ", \"average_decay\": 1", "average_decay 1 is out of range")]
    public void WhatWouldNotBeHeededIsRefused(string first, string ofTransformer, string last, string message)
    {
        using var folder = new TemporaryFolder();
        FlowTrainingConfig config = TinyTraining.Flow(folder.Path, 2);
        string transformer = config.Transformer.ToJson().TrimEnd()[..^1] + ofTransformer + "}";
        string file = folder.Write("train.json", $$"""
            { {{first}} "kind": "flow", "transformer": {{transformer}}, "text_encoder": {{config.TextEncoder.ToJson()}}, "vae_folder": "v", "run_folder": "r", "output_folder": "o" {{last}} }
            """);
        Assert.Contains(message, Assert.Throws<SoraException>(() => TrainingFile.Load(file)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ADeviceThatIsNotThereIsRefusedBeforeAnythingIsRead()
    {
        if (cuda.is_available())
            return;
        var tuning = new TrainingFile(SpriteWorldConfig.FirstEdition, null, null) { FineTuning = new FineTuningConfig { Model = "none", RunFolder = "none", Output = "none", Device = "cuda" } };
        var distillation = new TrainingFile(SpriteWorldConfig.FirstEdition, null, null) { Distillation = new DistillationConfig { Model = "none", RunFolder = "none", Output = "none", Device = "cuda" } };
        foreach (TrainingFile file in new[] { tuning, distillation })
            Assert.Contains("cuda", Assert.Throws<SoraException>(() => file.ComputeType(Precision.Auto)).Message, StringComparison.Ordinal);
    }
}
