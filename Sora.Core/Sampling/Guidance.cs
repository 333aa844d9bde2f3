namespace Sora.Sampling;

/// <summary>
/// Classifier-free guidance (Ho, Salimans 2022, arXiv 2207.12598): the velocity for the prompt, moved away from the one
/// for the negative prompt. It wraps the network's velocity and is unknown to solvers.
/// </summary>
/// <param name="Scale">
/// g in v = v_negative + g·(v_prompt − v_negative). At 1 and below there is no guidance, and the negative prompt's velocity
/// is not computed.
/// </param>
public readonly record struct Guidance(double Scale)
{
    /// <summary>Whether the negative prompt takes part.</summary>
    public bool IsOn => Scale > 1;

    /// <summary>The guided velocity.</summary>
    /// <param name="conditional">The velocity for the prompt.</param>
    /// <param name="unconditional">The velocity for the negative prompt, of the same shape.</param>
    public Tensor Combine(Tensor conditional, Tensor unconditional)
    {
        using DisposeScope scope = NewDisposeScope();
        return scope.MoveToOuter(unconditional + ((conditional - unconditional) * Scale));
    }

    /// <summary>The guided velocity as a function; without guidance the prompt's own.</summary>
    /// <param name="conditional">The velocity for the prompt.</param>
    /// <param name="unconditional">The velocity for the negative prompt.</param>
    public Velocity Around(Velocity conditional, Velocity unconditional)
    {
        if (!IsOn)
            return conditional;
        Guidance guidance = this;
        return (sample, step) => guidance.Combine(conditional(sample, step), unconditional(sample, step));
    }
}
