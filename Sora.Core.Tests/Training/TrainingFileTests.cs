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
