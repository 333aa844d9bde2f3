using Sora.Tests.Frames;
using Sora.Training.Data;
using Xunit;

namespace Sora.Tests.Training.Data;

public class ShotDetectionTests
{
    [Fact]
    public void FindsTheCutsOfAVideoAndNoneInItsMotion()
    {
        using var scratch = new Scratch();
        MadeVideo.Write(scratch["cuts.mp4"], rate: 24, 36, 45, 27);
        IReadOnlyList<float> differences = ShotDetection.Differences(scratch["cuts.mp4"], 8, default);
        Assert.Equal(35, differences.Count);
        Assert.Equal([12, 27], ShotDetection.Cuts(differences));

        // The scene moves by six pixels a frame, and differs from frame to frame by more than the threshold.
        TestClip.Write(scratch["moves.mp4"], 96, 54, 60, 24);
        differences = ShotDetection.Differences(scratch["moves.mp4"], 8, default);
        Assert.All(differences, difference => Assert.True(difference > ShotDetection.DefaultThreshold));
        Assert.Empty(ShotDetection.Cuts(differences));
    }

    [Fact]
    public void ACutStandsOutFromWhatIsAroundIt()
    {
        Assert.Equal([3], ShotDetection.Cuts([0.01f, 0.01f, 0.3f, 0.02f, 0.01f]));
        Assert.Empty(ShotDetection.Cuts([0.2f, 0.25f, 0.3f, 0.25f, 0.2f]));
        Assert.Empty(ShotDetection.Cuts([0, 0, 0.05f, 0, 0]));
        Assert.Equal([3], ShotDetection.Cuts([0, 0, 0.05f, 0, 0], threshold: 0.04));
        Assert.Equal([1], ShotDetection.Cuts([0.5f]));
        Assert.Empty(ShotDetection.Cuts([]));
    }
}
