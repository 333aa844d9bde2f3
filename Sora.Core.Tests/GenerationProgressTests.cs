using Xunit;

namespace Sora.Tests;

public class GenerationProgressTests
{
    [Fact]
    public void TheTimeLeftFollowsTheStepsSoFar()
    {
        TimeSpan elapsed = TimeSpan.FromSeconds(6);
        Assert.Null(GenerationProgress.At(GenerationStage.Denoising, 0, 20, elapsed).Remaining);
        Assert.Equal(TimeSpan.FromSeconds(34), GenerationProgress.At(GenerationStage.Denoising, 3, 20, elapsed).Remaining);
        Assert.Equal(TimeSpan.Zero, GenerationProgress.At(GenerationStage.Denoising, 20, 20, elapsed).Remaining);
    }

    [Fact]
    public void StepsThatCannotBeCountedHaveNoTimeLeft() =>
        Assert.Null(GenerationProgress.At(GenerationStage.LoadingModel, 0, 0, TimeSpan.FromSeconds(1)).Remaining);
}
