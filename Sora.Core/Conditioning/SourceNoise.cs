using Sora.Sampling;

namespace Sora.Conditioning;

/// <summary>
/// A video as the start of another: it gets the noise of a step in the middle of the schedule, and denoising goes on from
/// there (SDEdit, Meng et al. 2021, arXiv 2108.01073; in diffusers <c>WanVideoToVideoPipeline</c>).
/// </summary>
internal static class SourceNoise
{
    /// <summary>The first step that is taken: the last floor(steps · strength) are, all at strength 1 and none at 0.</summary>
    public static int FirstStep(NoiseSchedule schedule, double strength) => schedule.Steps - (int)(schedule.Steps * strength);

    /// <summary>(1 − sigma)·source + sigma·noise at the sigma of a step; after the last one, where sigma is 0, the source.</summary>
    /// <param name="source">The source's latent [1, C, t, h, w], normalised.</param>
    /// <param name="noise">Noise of that shape.</param>
    /// <param name="schedule">The noise levels.</param>
    /// <param name="step">The step, 0 to the number of steps.</param>
    public static Tensor Add(Tensor source, Tensor noise, NoiseSchedule schedule, int step)
    {
        using DisposeScope scope = NewDisposeScope();
        double sigma = step == schedule.Steps ? 0 : schedule.Sigmas[step];
        return scope.MoveToOuter((source * (1 - sigma)) + (noise * sigma));
    }
}
