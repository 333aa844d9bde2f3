namespace Sora.Sampling;

/// <summary>
/// Classifier-free guidance (Ho, Salimans 2022, arXiv 2207.12598): the velocity for the prompt, moved away from the one
/// for the negative prompt. It wraps the network's velocity and is unknown to solvers.
/// </summary>
/// <param name="Scale">
/// g in v = v_negative + g·(v_prompt − v_negative). At 1 and below there is no guidance, and the negative prompt's velocity
/// is not computed.
/// </param>
/// <param name="Interval">
/// The noise levels at which there is guidance (Kynkäänniemi et al. 2024, arXiv 2404.07724); null: at all. Elsewhere the
/// negative prompt's velocity is not computed.
/// </param>
/// <param name="Rescale">
/// The share phi of the guided velocity that is brought back to the spread of the prompt's own, 0 to 1 (Lin et al. 2023,
/// arXiv 2305.08891, equations 15 and 16).
/// </param>
public readonly record struct Guidance(double Scale, SigmaInterval? Interval = null, double Rescale = 0)
{
    /// <summary>Whether the negative prompt takes part at all.</summary>
    public bool IsOn => Scale > 1;

    /// <summary>Whether the negative prompt takes part at a noise level, 0 to 1.</summary>
    public bool IsOnAt(float sigma) => IsOn && (Interval is not { } interval || interval.Contains(sigma));

    /// <summary>What a resolved request asks for: one for each expert, or one for all.</summary>
    internal static Guidance[] Of(VideoRequest request)
    {
        var first = new Guidance(request.GuidanceScale!.Value, request.GuidanceInterval, request.GuidanceRescale!.Value);
        return request.LowNoiseGuidanceScale is { } second ? [first, first with { Scale = second }] : [first];
    }

    /// <summary>How many velocities a resolved request takes: 2 where there is guidance at any time, else 1.</summary>
    internal static int BranchesOf(VideoRequest request) => Of(request).Any(guidance => guidance.IsOn) ? 2 : 1;

    /// <summary>The guided velocity.</summary>
    /// <param name="conditional">The velocity for the prompt [B, …].</param>
    /// <param name="unconditional">The velocity for the negative prompt, of the same shape.</param>
    /// <param name="lead">
    /// Channels, the last along axis 1, whose velocity stays the prompt's own: what leads is a plan that the others depend on, and guidance drives it
    /// out of what a plan can be. Null: all are guided.
    /// </param>
    public Tensor Combine(Tensor conditional, Tensor unconditional, ChannelLead? lead = null)
    {
        using DisposeScope scope = NewDisposeScope();
        if (lead is { } leading)
        {
            (Tensor own, Tensor plan) = leading.Split(conditional);
            return scope.MoveToOuter(ChannelLead.Join(Combine(own, leading.Split(unconditional).Others), plan));
        }
        Tensor guided = unconditional + ((conditional - unconditional) * Scale);
        if (Rescale > 0)
            guided = guided * ((Spread(conditional) / Spread(guided) * Rescale) + (1 - Rescale));
        return scope.MoveToOuter(guided);
    }

    /// <summary>The guided velocity as a function; at noise levels without guidance the prompt's own.</summary>
    /// <param name="conditional">The velocity for the prompt.</param>
    /// <param name="unconditional">The velocity for the negative prompt.</param>
    public Velocity Around(Velocity conditional, Velocity unconditional)
    {
        Guidance guidance = this;
        return (sample, step) => guidance.IsOnAt(step.Sigma)
            ? guidance.Combine(conditional(sample, step), unconditional(sample, step))
            : conditional(sample, step);
    }

    // Each clip's standard deviation, [B, 1, …].
    private static Tensor Spread(Tensor velocity)
    {
        long[] all = [.. Enumerable.Range(1, velocity.shape.Length - 1).Select(d => (long)d)];
        return (velocity - velocity.mean(all, keepdim: true)).square().mean(all, keepdim: true).sqrt();
    }
}
