using Sora.Latents;
using Sora.Sampling;

namespace Sora.Conditioning;

/// <summary>
/// The leading channels of a video that is the start of another. A source has none: they are the model's own
/// (<see cref="ChannelLead"/>), and where the source's noise ends they are told already. So the model draws them first, from noise,
/// while the other channels are the source's at each level, each time with fresh noise: one level hides what another shows.
/// </summary>
internal sealed class SourceLead
{
    private readonly NoiseSchedule _schedule;
    private readonly ChannelLead _lead;

    private SourceLead(int steps, NoiseSchedule schedule, ChannelLead lead) => (Steps, _schedule, _lead) = (steps, schedule, lead);

    /// <summary>The steps that are taken for the leading channels alone.</summary>
    public int Steps { get; }

    /// <summary>All steps before the first that is taken for all channels; null where there is none, or nothing to draw.</summary>
    /// <param name="start">The first step that is taken for all channels.</param>
    /// <param name="schedule">The noise levels.</param>
    /// <param name="lead">The leading channels; null: none.</param>
    public static SourceLead? Before(int start, NoiseSchedule schedule, ChannelLead? lead) =>
        lead is { } channels && start > 0 && start < schedule.Steps ? new(start, schedule, channels) : null;

    /// <summary>Draws them, by steps of first order.</summary>
    /// <param name="velocity">The velocities of the videos at their samples.</param>
    /// <param name="sources">The sources' latents [1, C, t, h, w], normalised, with anything in the leading channels. Every video has one: without it no step is left out.</param>
    /// <param name="noise">The noise that each video starts from, of these shapes.</param>
    /// <param name="fresh">The noise of a step and a video.</param>
    /// <param name="evaluated">Told after each evaluation how many are done.</param>
    /// <param name="cancellationToken">Honoured before each evaluation.</param>
    /// <returns>The samples before the first step that is taken for all channels.</returns>
    public Tensor[] Draw(
        Func<IReadOnlyList<Tensor>, SamplingStep, IReadOnlyList<Tensor>> velocity, IReadOnlyList<Tensor?> sources, IReadOnlyList<Tensor> noise, Func<int, int, Tensor> fresh,
        Action<int> evaluated, CancellationToken cancellationToken)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor[] samples = [.. noise];
        for (int index = 0; index < Steps; index++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using DisposeScope step = NewDisposeScope();
            IReadOnlyList<Tensor> slopes = velocity(samples, _schedule.At(index));
            samples = [.. samples.Select((sample, i) => step.MoveToOuter(Next(sample, slopes[i], i, index)))];
            evaluated(index + 1);
        }
        return [.. samples.Select(scope.MoveToOuter)];

        Tensor Next(Tensor sample, Tensor slope, int video, int index)
        {
            Tensor given = SourceNoise.Add(sources[video]!, index + 1 == Steps ? noise[video] : fresh(index + 1, video), _schedule, index + 1);
            return Put(_lead.Split(sample).Leading + (_lead.Split(slope).Leading.to(float32) * _schedule.Width(index)), given);
        }
    }

    /// <summary>A source with leading channels that are known.</summary>
    /// <param name="lead">These [1, c, t, h, w]; null: there are none, or they stay as they are.</param>
    /// <param name="source">The source [1, C, t, h, w].</param>
    public static Tensor Put(Tensor? lead, Tensor source) =>
        lead is null ? source : ChannelLead.Join(source.narrow(1, 0, source.size(1) - lead.size(1)), lead);

    /// <summary>A video's leading channels in another size, as between neighbours: [1, c, t, h, w].</summary>
    /// <param name="latent">The video's latent [1, C, t, h', w'], normalised.</param>
    /// <param name="lead">Which they are.</param>
    /// <param name="shape">The size.</param>
    public static Tensor Resize(Tensor latent, ChannelLead lead, LatentShape shape)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor own = lead.Split(latent).Leading.to(float32);                                          // 1 c t h' w'
        Tensor rows = Between((int)own.size(3), shape.H).to(own.device), columns = Between((int)own.size(4), shape.W).to(own.device);
        return scope.MoveToOuter(matmul(matmul(rows, own), columns.transpose(0, 1)));
    }

    // [to, from]: each point's share of its two neighbours, the borders repeated.
    private static Tensor Between(int from, int to)
    {
        var weights = new float[to * from];
        for (int i = 0; i < to; i++)
        {
            float at = Math.Clamp(((i + 0.5f) * from / to) - 0.5f, 0, from - 1);
            int below = (int)at;
            weights[(i * from) + below] += 1 - (at - below);
            weights[(i * from) + Math.Min(below + 1, from - 1)] += at - below;
        }
        return tensor(weights, [to, from]);
    }
}
